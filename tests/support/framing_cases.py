# SPDX-License-Identifier: Apache-2.0
"""The table of tests/http/test_framing.py. BODY is a push that would be taken, LENGTH its size, CHUNK the same as a chunk. A
case of status 200 stores an event, any other must not. Where RFC 9112 leaves a choice the daemon takes the strict one."""
import dataclasses

OPEN, CLOSED = "open", "closed"
HEALTHZ = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclasses.dataclass
class Case:
    name: str
    sent: bytes
    statuses: list
    fate: str
    half_close: bool = False  # the client sends no more, and says so


CASES = []


def case(name, sent, status, fate, half_close=False):
    CASES.append(Case(name, sent, [status] if isinstance(status, int) else status, fate, half_close))


def refused(name, sent, status=400):
    case(name, sent, status, CLOSED)


def line(name, request_line, status=400, fate=CLOSED):
    case(name, request_line + b"\r\nHost: x\r\n\r\n", status, fate)


def target(name, text, status, fate=OPEN):
    line(name, b"GET " + text + b" HTTP/1.1", status, fate)


def field(name, lines, status=400, fate=CLOSED):
    """A GET whose head has those lines, each with its end, behind Host."""
    case(name, b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + lines + b"\r\n", status, fate)


def host(name, lines, status=400, fate=CLOSED):
    case(name, b"GET /healthz HTTP/1.1\r\n" + lines + b"\r\n", status, fate)


def length(name, lines, status=400, fate=CLOSED, body=b"BODY"):
    case(name, b"POST /v2/push/ HTTP/1.1\r\nHost: x\r\n" + lines + b"\r\n" + body, status, fate)


def chunked(name, body, status, coding=b"chunked"):
    case(name, b"POST /v2/push/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: " + coding + b"\r\n\r\n" + body, status, CLOSED)


# Request line: method and version
line("a plain request", b"GET /healthz HTTP/1.1", 200, OPEN)
line("HEAD has no body", b"HEAD /healthz HTTP/1.1", 200, OPEN)
for method in (b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE", b"CONNECT", b"POST"):
    line(f"{method.decode()} where it is not taken", method + b" /healthz HTTP/1.1", 405, OPEN)
line("GET where POST is wanted", b"GET /v2/push/ HTTP/1.1", 405, OPEN)
line("unknown method", b"FOO /healthz HTTP/1.1")
line("method in small letters", b"get /healthz HTTP/1.1")
line("method in mixed letters", b"Get /healthz HTTP/1.1")
line("method that begins like a known one", b"GETS /healthz HTTP/1.1")
line("method with a character that no token has", b"G@T /healthz HTTP/1.1")
line("method of 300 letters", b"A" * 300 + b" /healthz HTTP/1.1")
line("method with a NUL behind it", b"GET\0 /healthz HTTP/1.1")
line("blank before the method", b" GET /healthz HTTP/1.1", [])
line("two blanks behind the method", b"GET  /healthz HTTP/1.1")
line("tab behind the method", b"GET\t/healthz HTTP/1.1")
line("two blanks before the version", b"GET /healthz  HTTP/1.1")
line("blank at the end of the request line", b"GET /healthz HTTP/1.1 ")
line("no target", b"GET HTTP/1.1")
line("nothing but a method", b"GET", [])
line("nothing but blanks", b"   ", [])
line("HTTP/1.0 with Host", b"GET /healthz HTTP/1.0", 200, CLOSED)
line("HTTP/0.9", b"GET /healthz")
line("HTTP/2.0", b"GET /healthz HTTP/2.0", 505)
line("HTTP/3.0", b"GET /healthz HTTP/3.0", 505)
line("HTTP/11.1", b"GET /healthz HTTP/11.1")
line("HTTP/1.", b"GET /healthz HTTP/1.")
line("HTTP/1.1 and a letter", b"GET /healthz HTTP/1.1x")
line("HTTP in small letters", b"GET /healthz http/1.1")
line("another protocol", b"GET /healthz ICY/1.1")
line("version with a comma", b"GET /healthz HTTP/1,1")
line("version with a blank in it", b"GET /healthz HTTP/ 1.1")
refused("preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505)
refused("bare line feed behind the request line", b"GET /healthz HTTP/1.1\nHost: x\r\n\r\n")
refused("bare carriage return behind the request line", b"GET /healthz HTTP/1.1\rHost: x\r\n\r\n")
refused("NUL behind the version", b"GET /healthz HTTP/1.1\0\r\nHost: x\r\n\r\n")
case("one empty line first", b"\r\n" + HEALTHZ, 200, OPEN)
case("three empty lines first", b"\r\n\r\n\r\n" + HEALTHZ, 200, OPEN)
refused("a TLS handshake", bytes.fromhex("16030100c8010000c40303") + b"\x5a" * 189 + b"\r\n\r\n", [])
refused("a line of the PROXY protocol", b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n" + HEALTHZ)

# Target
target("with an empty query", b"/healthz?", 200)
target("with members in the query", b"/healthz?a=b&c&&=d", 200)
target("with a bad escape in the query", b"/healthz?a=%zz%", 200)
target("with an escaped NUL in the query", b"/healthz?a=%00", 200)
target("with 8-bit letters in the query", b"/healthz?a=\xc3\xa4", 200)
target("unknown path", b"/nothing", 404)
target("another slash at the end", b"/healthz/", 404)
target("two slashes", b"//healthz", 404)
target("path in other letters", b"/HEALTHZ", 404)
target("escaped letter in the path", b"/%68ealthz", 404)
target("escaped slash in the path", b"/%2Fhealthz", 404)
target("bad escape in the path", b"/healthz%zz", 404)
target("dots that lead up", b"/x/../healthz", 404)
target("escaped dots", b"/x/%2e%2e/healthz", 404)
target("backslash", b"/\\healthz", 404)
target("fragment", b"/healthz#x", 404)
target("semicolon", b"/healthz;a=b", 404)
target("path of 4,000 bytes", b"/" + b"a" * 4000, 404)
target("path of 20,000 bytes", b"/" + b"a" * 20000, 414, CLOSED)
target("absolute form", b"http://x/healthz", 400, CLOSED)
target("absolute form of another host", b"http://other/healthz", 400, CLOSED)
target("asterisk", b"*", 400, CLOSED)
line("authority form", b"CONNECT x:443 HTTP/1.1")
target("no slash first", b"healthz", 400, CLOSED)
target("query alone", b"?a=b", 400, CLOSED)
target("escaped NUL in the path", b"/healthz%00", 400, CLOSED)
target("NUL in the path", b"/healthz\0", 400, CLOSED)
target("NUL in the query", b"/healthz?a=\0b", 400, CLOSED)
target("blank in the path", b"/health z", 400, CLOSED)
target("blank in the query", b"/healthz?a b", 400, CLOSED)
target("another request line in the query", b"/healthz?a HTTP/1.1 /v2/push/", 400, CLOSED)
target("tab in the path", b"/health\tz", 400, CLOSED)
target("control character in the path", b"/healthz\x01", 400, CLOSED)
target("control character in the query", b"/healthz?\x1b", 400, CLOSED)
target("DEL in the path", b"/healthz\x7f", 400, CLOSED)
target("8-bit letters in the path", b"/healthz\xc3\xa4", 400, CLOSED)

# Host
host("no Host", b"")
case("no Host in HTTP/1.0", b"GET /healthz HTTP/1.0\r\n\r\n", 400, CLOSED)
host("two Hosts", b"Host: x\r\nHost: y\r\n")
host("the same Host twice", b"Host: x\r\nHost: x\r\n")
host("two Hosts in other letters", b"Host: x\r\nhOST: x\r\n")
host("empty Host", b"Host:\r\n", 200, OPEN)
host("Host with a port", b"Host: x:10205\r\n", 200, OPEN)
host("Host of IPv6", b"Host: [::1]:10205\r\n", 200, OPEN)
host("blank in Host", b"Host: a b\r\n")
host("slash in Host", b"Host: x/healthz\r\n")
host("user in Host", b"Host: user@x\r\n")
host("8-bit letters in Host", b"Host: \xc3\xa4\r\n")
host("blank before the colon of Host", b"Host : x\r\n")

# Header lines
field("empty value", b"X-A:\r\n", 200, OPEN)
field("blanks and tabs around a value", b"X-A: \t b \t\r\n", 200, OPEN)
field("tab in a value", b"X-A: b\tc\r\n", 200, OPEN)
field("8-bit letters in a value", b"X-A: \xe4\xff\r\n", 200, OPEN)
field("every character of a token in a name", b"!#$%&'*+-.^_`|~09azAZ: x\r\n", 200, OPEN)
field("50 lines", b"".join(b"X-%02d: v\r\n" % i for i in range(50)), 200, OPEN)
field("1,000 lines", b"".join(b"X-%03d: v\r\n" % i for i in range(1000)), 431)
field("value of 6,000 bytes", b"X-A: " + b"a" * 6000 + b"\r\n", 200, OPEN)
field("value of 9,000 bytes", b"X-A: " + b"a" * 9000 + b"\r\n", 431)
field("name of 9,000 bytes", b"X" * 9000 + b": a\r\n", 431)
field("no colon", b"X-A\r\n")
field("no name", b": a\r\n")
field("blank before the colon", b"X-A : b\r\n")
field("tab before the colon", b"X-A\t: b\r\n")
field("blank in a name", b"X A: b\r\n")
field("parentheses in a name", b"X(A): b\r\n")
field("quotes in a name", b'"X-A": b\r\n')
field("slash in a name", b"X/A: b\r\n")
field("8-bit letters in a name", b"X\xc3\xa4: b\r\n")
field("control character in a name", b"X\x01A: b\r\n")
field("NUL in a name", b"X\0A: b\r\n")
field("NUL in a value", b"X-A: b\0c\r\n")
field("NUL at the end of a value", b"X-A: b\0\r\n")
field("two NULs at the end of a value", b"X-A: b\0\0\r\n")
field("a line of NUL", b"\0\r\nX-A: b\r\n")
field("line folded by a blank", b"X-A: b\r\n c\r\n")
field("line folded by a tab", b"X-A: b\r\n\tc\r\n")
field("line folded into nothing", b"X-A: b\r\n \r\n")
host("first line folded", b" X-A: b\r\nHost: x\r\n")
field("bare line feed", b"X-A: b\nX-B: c\r\n")
field("bare line feed, nameless colon and a letter for the empty line", b"X-A: b\n:x\nX-B: c\r\n")
field("bare line feed for the empty line", b"X-A: b\r\n\nX-B: c\r\n")
field("bare carriage return", b"X-A: b\rX-B: c\r\n")
field("two carriage returns", b"X-A: b\r\r\n")
field("Connection: close", b"Connection: close\r\n", 200, CLOSED)
field("Upgrade is ignored", b"Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n", 200, OPEN)

# Content-Length
length("one length", b"Content-Length: LENGTH\r\n", 200, OPEN)
length("length behind a tab", b"Content-Length:\tLENGTH\r\n", 200, OPEN)
length("length without a blank", b"content-length:LENGTH\r\n", 200, OPEN)
length("length with zeros first", b"Content-Length: 00LENGTH\r\n", 200, OPEN)
length("two lengths", b"Content-Length: LENGTH\r\nContent-Length: 3\r\n")
length("the same length twice", b"Content-Length: LENGTH\r\nContent-Length: LENGTH\r\n")
length("list of lengths", b"Content-Length: LENGTH, LENGTH\r\n")
length("length with a plus", b"Content-Length: +LENGTH\r\n")
length("length with a minus", b"Content-Length: -1\r\n")
length("length in hex", b"Content-Length: 0x5\r\n")
length("length with a fraction", b"Content-Length: 5.0\r\n")
length("length with an exponent", b"Content-Length: 1e1\r\n")
length("length with a blank inside", b"Content-Length: 1 0\r\n")
length("length in wide digits", b"Content-Length: \xef\xbc\x95\r\n")
length("empty length", b"Content-Length:\r\n")
length("length in words", b"Content-Length: five\r\n")
length("blank before the colon of the length", b"Content-Length : LENGTH\r\n")
length("length folded", b"Content-Length:\r\n LENGTH\r\n")
length("no length", b"", 400, OPEN, b"")
length("length of zero", b"Content-Length: 0\r\n", 400, OPEN, b"")
length("length above the limit", b"Content-Length: 9000000\r\n", 413, CLOSED, b"")
length("length above 64 bits", b"Content-Length: 18446744073709551617\r\n", 413, CLOSED, b"")
case("body where none is taken", b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", 413, CLOSED)

# Transfer-Encoding
chunked("chunked", b"CHUNK0\r\n\r\n", 200)
chunked("chunked in capitals", b"CHUNK0\r\n\r\n", 200, b"cHUNKED")
for coding in (b"gzip, chunked", b"chunked, gzip", b"chunked, chunked", b"gzip", b"identity", b"xchunked", b"chunked;q=1",
               b"chunked,", b",chunked", b'"chunked"', b"", b"\x0bchunked", b"chunked\0"):
    chunked(f"coding {coding!r}", b"CHUNK0\r\n\r\n", 400, coding)
length("two codings", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400, CLOSED, b"CHUNK0\r\n\r\n")
length("coding, then length", b"Transfer-Encoding: chunked\r\nContent-Length: LENGTH\r\n", 400, CLOSED, b"CHUNK0\r\n\r\n")
length("length, then coding", b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", 400, CLOSED, b"0\r\n\r\nG" + HEALTHZ)
length("length and an unknown coding", b"Content-Length: LENGTH\r\nTransfer-Encoding: x\r\n")
length("coding folded", b"Transfer-Encoding:\r\n chunked\r\n", 400, CLOSED, b"CHUNK0\r\n\r\n")
length("blank before the colon of the coding", b"Transfer-Encoding : chunked\r\n", 400, CLOSED, b"CHUNK0\r\n\r\n")
length("NUL before the coding", b"Transfer-Encoding: \0chunked\r\n", 400, CLOSED, b"CHUNK0\r\n\r\n")
case("chunked in HTTP/1.0", b"POST /v2/push/ HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nCHUNK0\r\n\r\n", 400, CLOSED)
case("chunks where no body is taken", b"GET /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 413, CLOSED)

# Chunks. Nothing behind a chunked body is read.
chunked("extension", b"0;a=b\r\n\r\n", 400)
chunked("trailer", b"CHUNK0\r\nX-T: v\r\n\r\n", 200)
chunked("trailer that looks like a length", b"CHUNK0\r\nContent-Length: 5\r\n\r\n", 200)
chunked("a request behind the last chunk", b"CHUNK0\r\n\r\n" + HEALTHZ, 200)
chunked("size that is no number", b"g\r\nhello\r\n0\r\n\r\n", 400)
chunked("size with 0x", b"0x5\r\nhello\r\n0\r\n\r\n", 400)
chunked("size with a minus", b"-5\r\nhello\r\n0\r\n\r\n", 400)
chunked("size with a plus", b"+5\r\nhello\r\n0\r\n\r\n", 400)
chunked("blank before the size", b" 5\r\nhello\r\n0\r\n\r\n", 400)
chunked("no size", b"\r\nhello\r\n0\r\n\r\n", 400)
chunked("size above 64 bits", b"10000000000000005\r\nhello\r\n0\r\n\r\n", 413)
chunked("data longer than its chunk", b"5\r\nhello!\r\n0\r\n\r\n", 400)
chunked("no line end behind the data", b"5\r\nhello0\r\n\r\n", 400)

# Expect
length("100-continue", b"Expect: 100-continue\r\nContent-Length: LENGTH\r\n", [100, 200], OPEN)
length("100-continue, too large", b"Expect: 100-continue\r\nContent-Length: 9000000\r\n", 413, CLOSED, b"")
length("100-continue and two lengths", b"Expect: 100-continue\r\nContent-Length: 5\r\nContent-Length: 6\r\n", 400, CLOSED, b"")
length("another expectation is ignored", b"Expect: 200-ok\r\nContent-Length: LENGTH\r\n", 200, OPEN)

# One request behind another
PUSH = b"POST /v2/push/ HTTP/1.1\r\nHost: x\r\nContent-Length: LENGTH\r\n\r\nBODY"
case("two at once", HEALTHZ + HEALTHZ, [200, 200], OPEN)
case("three at once, one with a body", HEALTHZ + PUSH + HEALTHZ, [200, 200, 200], OPEN)
case("an empty line between two", HEALTHZ + b"\r\n" + HEALTHZ, [200, 200], OPEN)
case("a good one, then a bad one", HEALTHZ + b"FOO / HTTP/1.1\r\nHost: x\r\n\r\n" + HEALTHZ, [200, 400], CLOSED)
refused("a bad one, then good ones", b"GET /healthz HTTP/1.1\r\n\r\n" + HEALTHZ + HEALTHZ)
refused("a refused body that holds a request", b"POST /v2/push/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\n" + PUSH)
case("one behind Connection: close", b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" + HEALTHZ, 200, CLOSED)
case("one behind HTTP/1.0", b"GET /healthz HTTP/1.0\r\nHost: x\r\n\r\n" + HEALTHZ, 200, CLOSED)

# A client that ends early
case("nothing at all", b"", [], CLOSED, True)
case("half a request line", b"GET /hea", [], CLOSED, True)
case("half a head", b"GET /healthz HTTP/1.1\r\nHost: x\r\n", [], CLOSED, True)
case("half a large body", b"POST /v2/push/ HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\n{", [], CLOSED, True)
case("half a chunked body", b"POST /v2/push/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe", [], CLOSED, True)
case("no last chunk", b"POST /v2/push/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nCHUNK", [], CLOSED, True)
case("a whole request", b"GET /healthz?last HTTP/1.1\r\nHost: x\r\n\r\n", 200, CLOSED, True)
