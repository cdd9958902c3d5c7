# SPDX-License-Identifier: Apache-2.0
"""The language's own library, with what src/decisions/0011-jmespath.md decided otherwise: each class below is one row of
its table. outcome() is what the expression should give."""
import json

from jmespath import ast, exceptions, functions, lexer, parser, visitor

ERROR = object()
BACKTICKED_SPACE = " \t\n\r\v\f"


def refuse(*_):
    raise ValueError


def sound(value):
    """The same; ValueError when a text in it has a lone surrogate or U+0000."""
    if isinstance(value, str):
        value.encode()
        if "\0" in value:
            raise ValueError
    elif isinstance(value, (list, dict)):
        for part in [*value, *value.values()] if isinstance(value, dict) else value:
            sound(part)
    return value


class Lexer(lexer.Lexer):
    """A literal that begins as an array or object is one, or an error; a number is finite."""

    def _consume_literal(self):
        start = self._position
        token = super()._consume_literal()
        text = self._consume_text[start]
        written = text.strip(BACKTICKED_SPACE)
        try:
            json.loads(text)
        except ValueError:
            if written[:1] in ("[", "{"):
                raise exceptions.LexerError(start, text, "not JSON")
        return token

    def _consume_until(self, delimiter):
        start = self._position
        text = super()._consume_until(delimiter)
        self._consume_text = {start: text.replace("\\`", "`")}
        return text


class Parser(parser.Parser):
    """Commas between arguments and members are not optional, a slice has its colons, and is a projection behind an index
    too."""

    def _parse(self, expression):
        self._tokens = list(Lexer().tokenize(expression))
        sound([token["value"] for token in self._tokens])
        self._index = 0
        parsed = self._expression(binding_power=0)
        if self._current_token() != "eof":
            self._raise_parse_error_for_token(self._lookahead_token(0), "unexpected token")
        return parsed

    def _token_led_lparen(self, left):
        name = self._lookahead_token(-2)
        if left["type"] != "field" or name["type"] != "unquoted_identifier":
            self._raise_parse_error_for_token(name, "invalid function name")
        arguments = []
        if self._current_token() != "rparen":
            arguments.append(self._expression())
            while self._current_token() == "comma":
                self._match("comma")
                arguments.append(self._expression())
        self._match("rparen")
        return ast.function_expression(left["value"], arguments)

    def _token_led_lbracket(self, left):
        if self._current_token() in ("number", "colon"):
            return self._project_if_slice(left, self._parse_index_expression())
        return super()._token_led_lbracket(left)

    def _parse_slice_expression(self):
        parts = [None, None, None]
        for index in range(3):
            if self._current_token() == "number":
                parts[index] = self._lookahead_token(0)["value"]
                self._advance()
            if index == 2 or self._current_token() != "colon":
                break
            self._match("colon")
        self._match("rbracket")
        return ast.slice(*parts)

    def _parse_multi_select_hash(self):
        pairs = []
        while True:
            key = self._lookahead_token(0)
            self._match_multiple_tokens(token_types=["quoted_identifier", "unquoted_identifier"])
            self._match("colon")
            pairs.append(ast.key_val_pair(key_name=key["value"], node=self._expression(0)))
            if self._current_token() == "rbrace":
                break
            self._match("comma")
        self._match("rbrace")
        return ast.multi_select_dict(nodes=pairs)


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def equals(a, b):
    """Deep, and true is not 1 at any depth."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(equals(x, y) for x, y in zip(a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(equals(a[k], b[k]) for k in a)
    return a == b


def whole_where_whole(value):
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [whole_where_whole(v) for v in value]
    if isinstance(value, dict):
        return {k: whole_where_whole(v) for k, v in value.items()}
    return value


class Functions(functions.Functions):
    @functions.signature({"types": ["array", "string"]}, {"types": []})
    def _func_contains(self, subject, search):
        if isinstance(subject, str):
            return isinstance(search, str) and search in subject
        return any(equals(element, search) for element in subject)

    @functions.signature({"types": []})
    def _func_to_string(self, value):
        if isinstance(value, str):
            return value
        return json.dumps(whole_where_whole(value), separators=(",", ":"), ensure_ascii=False)

    @functions.signature({"types": ["object"], "variadic": True})
    def _func_merge(self, *arguments):
        for argument in arguments:
            self._type_check_single(argument, ["object"], "merge")
        return super()._func_merge(*arguments)

    @functions.signature({"types": ["string"]}, {"types": ["string"]})
    def _func_split(self, text, between):
        return text.split(between) if between else list(text)

    @functions.signature({"types": ["object"]}, {"types": ["string"]})
    def _func_get_field(self, members, name):
        return members.get(name)

    @functions.signature({"types": ["string"]})
    def _func_to_json(self, text):
        return sound(json.loads(text, parse_constant=refuse))

    @functions.signature({"types": ["array"]}, {"types": ["array"]})
    def _func_zip(self, names, values):
        if len(names) != len(values) or not all(isinstance(name, str) for name in names):
            return None
        return dict(zip(names, values))


class Interpreter(visitor.TreeInterpreter):
    """A number is neither less nor greater than a string."""
    COMPARATOR_FUNC = {**visitor.TreeInterpreter.COMPARATOR_FUNC, "eq": equals, "ne": lambda a, b: not equals(a, b)}

    def visit_comparator(self, node, value):
        if node["value"] not in self._EQUALITY_OPS:
            left, right = (self.visit(child, value) for child in node["children"])
            if is_number(left) != is_number(right):
                return None
        return super().visit_comparator(node, value)


REFERENCE_ARGUMENT = {"map": 0, "max_by": 1, "min_by": 1, "sort_by": 1}


def check(node, may_be_reference=False):
    """What is an error when an expression is saved, wherever it stands in it."""
    kind, children = node["type"], node["children"]
    if kind == "expref" and not may_be_reference:
        raise exceptions.ParseError(0, "&", "expref", "not an argument")
    if kind == "slice":
        if children[2] == 0:
            raise exceptions.ParseError(0, "0", "slice", "step")
        return
    wanted = None
    if kind == "function_expression":
        signature = Functions.FUNCTION_TABLE[node["value"]]["signature"]
        variadic = signature[-1].get("variadic")
        if len(children) < len(signature) or (len(children) > len(signature) and not variadic):
            raise exceptions.ArityError(len(signature), len(children), node["value"])
        wanted = REFERENCE_ARGUMENT.get(node["value"])
        if wanted is not None and children[wanted]["type"] != "expref":
            raise exceptions.ParseError(0, "", "", "expression reference wanted")
    for index, child in enumerate(children):
        check(child, may_be_reference=wanted == index)


def outcome(expression, document):
    try:
        tree = Parser()._parse(expression)
        check(tree)
        options = visitor.Options(custom_functions=Functions())
        return Interpreter(options).visit(tree, document)
    except (exceptions.JMESPathError, ValueError, KeyError, TypeError):  # the last: keys of different types
        return ERROR
