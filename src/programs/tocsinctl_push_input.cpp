// SPDX-License-Identifier: Apache-2.0
#include "src/programs/tocsinctl_push_input.hpp"

#include <istream>
#include <utility>

namespace tocsin::ctl {
namespace {

class Items {
 public:
  Items(json::Parser& parser, std::istream& in, const InputOptions& options, const TakeItem& take)
      : parser_(parser), in_(in), options_(options), take_(take) {}

  std::optional<std::string> run() {
    if (options_.is_document) return take_document({});
    for (std::uint64_t number = 1;; ++number) {
      auto line = read_line(in_);
      where_ = options_.name + ":" + std::to_string(number);
      if (!line.ok()) return wrong(line.error().context[0]);
      if (!line->has_value()) return std::nullopt;
      place_.done += (*line)->size() + 1;
      if ((*line)->ends_with('\r')) (*line)->pop_back();
      if ((*line)->empty()) continue;
      if (auto what = take_line(**line)) return what;
      if (had_enough_) return std::nullopt;
    }
  }

 private:
  std::optional<std::string> wrong(std::string_view what) const { return where_ + ": " + std::string(what); }

  bool text_is_possible() const { return !options_.common.event_name.empty() && !options_.common.target.empty(); }

  std::optional<std::string> take_line(const std::string& line) {
    const std::size_t begin = line.find_first_not_of(" \t");
    const char first = begin == std::string::npos ? '\0' : line[begin];
    // A text may well begin with "[": logs do.
    const bool is_json = first == '{' || (first == '[' && !text_is_possible());
    if (!is_json) {
      seen_ = true;
      if (!text_is_possible()) return wrong("a line of text needs --event-name and --target");
      had_enough_ = !take_(item_of(options_.common, line), place_);
      return std::nullopt;
    }
    Document document;
    if (document.parse(parser_, line)) {
      seen_ = true;
      return take_value(document.root());
    }
    if (!seen_ && !text_is_possible()) return take_document(line + "\n");
    return wrong("begins with { and is not a JSON object");
  }

  /// All that comes, behind what was read of it already.
  std::optional<std::string> take_document(std::string text) {
    const std::size_t begun = text.size();
    text.resize(kDocumentBytesMax + 1);
    in_.read(text.data() + begun, static_cast<std::streamsize>(text.size() - begun));
    text.resize(begun + static_cast<std::size_t>(in_.gcount()));
    where_ = options_.name;
    if (text.size() > kDocumentBytesMax)
      return wrong("is longer than 16 MiB as one document: one item a line has no end");
    Document document;
    if (!document.parse(parser_, text)) return wrong("is neither lines of JSON nor one JSON document");
    text = {};
    counts_items_ = true;
    had_enough_ = true;  // there is nothing behind it
    return take_value(document.root());
  }

  std::optional<std::string> take_value(const Value& value) {
    if (value.kind() == json::Kind::array) return take_list(value);
    if (value.kind() != json::Kind::object) return wrong("is no item: not a JSON object");
    const Value data = value.member("data");
    const bool is_envelope =
        data.kind() == json::Kind::array && !value.member("event_name").exists() && !value.member("metrics").exists();
    if (!is_envelope) return take_items({value});
    const Value data_id = value.member("data_id");
    if (data_id.exists() && data_id.integer() != options_.data_id) return wrong("is for data id " + data_id.shown());
    return take_list(data);
  }

  std::optional<std::string> take_list(const Value& list) {
    const auto items = list.elements();
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (items[i].kind() != json::Kind::object)
        return wrong("item " + std::to_string(i + 1) + " is not a JSON object");
    }
    return take_items(items);
  }

  std::optional<std::string> take_items(const std::vector<Value>& items) {
    if (counts_items_) place_ = {0, items.size()};
    for (const Value& item : items) {
      if (counts_items_) ++place_.done;
      if (!take_(item.written(), place_)) {
        had_enough_ = true;
        break;
      }
    }
    return std::nullopt;
  }

  json::Parser& parser_;
  std::istream& in_;
  const InputOptions& options_;
  const TakeItem& take_;
  Place place_;
  std::string where_;
  bool counts_items_ = false;
  bool seen_ = false;        ///< something came that was no beginning of a document
  bool had_enough_ = false;  ///< nothing more is to be read
};

}  // namespace

std::optional<std::string> read_items(json::Parser& parser, std::istream& in, const InputOptions& options,
                                      const TakeItem& take) {
  return Items(parser, in, options, take).run();
}

}  // namespace tocsin::ctl
