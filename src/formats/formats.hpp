// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory_resource>
#include <string>
#include <string_view>

#include "src/base/bytes.hpp"
#include "src/base/result.hpp"

/// Request bodies that are not JSON, as JSON.
///
/// Each function turns one body into compact JSON text, which the caller's JSON parser then reads as it reads every
/// other body. Text and not calls into a builder: there is one way from bytes to a tree, with one set of checks, this
/// layer and the JSON layer need not know each other, and what was made of a body can be stored or shown as it is.
///
/// What comes out: strict RFC 8259 in UTF-8; no U+0000; finite numbers; unique names in each object; at most
/// Limits::depth_max arrays and objects inside each other.
/// On error `json` is empty. Every function throws std::bad_alloc when `memory` (or the memory of `json`) does.
namespace tocsin::formats {

struct Limits {
  std::size_t body_bytes_max = 512'000;
  std::uint32_t depth_max = 32;          ///< arrays and objects inside each other; at most 200
  std::uint32_t values_max = 16'384;     ///< all values, those behind aliases included, names not; at most 2^30
  std::size_t json_bytes_max = 512'000;  ///< of the JSON text; at most 2^30
  std::size_t spare_bytes = 64;          ///< capacity that `json` has behind its text, for parsers that read ahead
};

struct FormatError {
  enum class What : std::uint8_t {
    malformed,    ///< not that format
    too_large,    ///< one of the Limits
    unsupported,  ///< right, but nothing that we take or that JSON can say
  };
  What what = What::malformed;
  const char* reason = "";   ///< short English, static
  std::uint32_t line = 1;    ///< from 1
  std::uint32_t column = 1;  ///< in characters, from 1
};

using Outcome = tl::expected<void, FormatError>;

/// YAML 1.1 as Python's yaml.safe_load reads it (PyYAML 6.0), except:
/// timestamps stay text as written, and so do integers beyond 64 bits that are not decimal;
/// names that are no strings become strings (`1: x` is {"1": "x"}, `yes: x` is {"true": "x"}), lists and mappings
/// cannot be names; `!!binary`, `!!set`, `!!omap`, `!!pairs`, infinities and not-a-number are refused, as are several
/// documents and values that contain themselves. A name that repeats keeps its first place and its last value. Merge
/// keys
/// (`<<`) work. An empty body is null.
/// Bounds besides Limits: 256 anchors, 16 directives.
///
/// Memory: from `memory` the size of the body (three times that when the texts get longer by escapes), and 36 bytes a
///         value, which double as they grow: 0.5 MiB for 512,000 bytes of plain text, 1.0 for 16,000 small members.
///         libyaml 0.2.5 has no allocator hooks: beside that it takes 70 KiB, for `[a,a,…` 0.3 MiB, and 1.2 times the
///         longest scalar (2.3 times in UTF-16) from the heap.
[[nodiscard]] Outcome yaml_to_json(std::string_view body, std::pmr::memory_resource& memory, std::pmr::string& json,
                                   const Limits& limits = {});

/// Two ways to read XML as JSON: attributes become members, elements of one name a list, text beside either "#text";
/// white space around text goes, comments and processing instructions too. All values are strings.
enum class XmlStyle : std::uint8_t {
  xmltodict,  ///< Python's xmltodict 0.13: "@name" for attributes, null for an empty element, names with their prefix
  mxj,        ///< Go's mxj v2, which upstream's ingester uses: "-name", "" for an empty element, names without prefix
};

/// XML 1.0 in UTF-8, UTF-16, ISO-8859-1 or US-ASCII. A document type declaration is refused before anything of it is
/// read, so there are no entities but the five of XML and characters by number.
/// With mxj, text in several pieces is joined (mxj keeps one of them).
///
/// Bounds besides Limits: 256 attributes of one element.
///
/// Memory: all from `memory`, expat's too (one body at a time on a thread): as for YAML, the longest text once or twice
///         more, and for expat 40 KiB, up to 4 times the longest piece of markup (a tag, a comment) and 130 bytes for
///         each different name.
[[nodiscard]] Outcome xml_to_json(std::string_view body, XmlStyle style, std::pmr::memory_resource& memory,
                                  std::pmr::string& json, const Limits& limits = {});

/// {"text": body}. Bytes that are not UTF-8, and U+0000, become U+FFFD, one each, as upstream's ingester does with the
/// former. Fails only by size. Memory: the JSON text.
[[nodiscard]] Outcome text_to_json(std::string_view body, std::pmr::string& json, const Limits& limits = {});

}  // namespace tocsin::formats
