// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>

#include "src/jmespath/expression.hpp"
#include "src/jmespath/functions.hpp"
#include "src/jmespath/lexer.hpp"
#include "src/jmespath/literal.hpp"
#include "src/json/writer.hpp"

namespace tocsin::jmespath {
namespace {

using Type = Token::Type;
using What = CompileError::What;

constexpr int kPipePower = 1;
constexpr int kProjectionStop = 10;  // what binds weaker ends a projection
constexpr int kFlattenPower = 9;
constexpr int kStarPower = 20;
constexpr int kFilterPower = 21;
constexpr int kDotPower = 40;
constexpr int kNegatePower = 45;

/// How strongly a token binds to what stands before it; 0: it never continues an expression.
int power_of(Type type) noexcept {
  switch (type) {
    case Type::pipe: return kPipePower;
    case Type::any: return 2;
    case Type::all: return 3;
    case Type::equal:
    case Type::differ:
    case Type::less:
    case Type::less_or_equal:
    case Type::greater:
    case Type::greater_or_equal: return 5;
    case Type::flatten: return kFlattenPower;
    case Type::star: return kStarPower;
    case Type::filter: return kFilterPower;
    case Type::dot: return kDotPower;
    case Type::negate: return kNegatePower;
    case Type::open_brace: return 50;
    case Type::open_square: return 55;
    case Type::open_round: return 60;
    default: return 0;
  }
}

Op comparison_of(Type type) noexcept {
  switch (type) {
    case Type::equal: return Op::equal;
    case Type::differ: return Op::differ;
    case Type::less: return Op::less;
    case Type::less_or_equal: return Op::less_or_equal;
    case Type::greater: return Op::greater;
    default: return Op::greater_or_equal;
  }
}

template <class T>
std::span<const T> packed(const std::vector<T>& from, std::pmr::memory_resource& arena) {
  if (from.empty()) return {};
  auto* const to = static_cast<T*>(arena.allocate(from.size() * sizeof(T), alignof(T)));
  std::uninitialized_copy(from.begin(), from.end(), to);
  return {to, from.size()};
}

/// Operator precedence: prefix() reads what can begin an expression, infix() what can continue one.
/// Every function returns the node it made, or kNoNode after fail(). Recursion: at most kNestingMax expressions.
class ExpressionParser {
 public:
  ExpressionParser(std::vector<Token> tokens, json::Parser& parser, std::pmr::memory_resource& arena)
      : tokens_(std::move(tokens)), literals_(parser, arena) {}

  [[nodiscard]] NodeId whole() {
    const NodeId root = expression(0);
    if (root == kNoNode) return root;
    if (token().type != Type::end) return fail("something follows the expression");
    if (nodes_[root].op == Op::reference) return fail_reference(root);
    return root;
  }

  [[nodiscard]] Program pack(NodeId root, std::pmr::memory_resource& arena) const {
    return {packed(nodes_, arena), packed(constants_, arena), packed(slices_, arena), root};
  }

  [[nodiscard]] const CompileError& failure() const noexcept { return failure_; }

 private:
  [[nodiscard]] const Token& token() const noexcept { return tokens_[at_]; }
  [[nodiscard]] Type type_behind() const noexcept { return tokens_[std::min(at_ + 1, tokens_.size() - 1)].type; }
  /// Never moves behind the end.
  const Token& take() noexcept {
    const Token& taken = tokens_[at_];
    if (taken.type != Type::end) ++at_;
    return taken;
  }
  [[nodiscard]] bool take_if(Type type) noexcept {
    if (token().type != type) return false;
    take();
    return true;
  }

  NodeId fail(const char* reason, What what = What::syntax) { return fail_at(token().offset, reason, what); }
  NodeId fail_at(std::size_t offset, const char* reason, What what = What::syntax) {
    failure_ = {what, reason, offset};
    return kNoNode;
  }
  NodeId fail_reference(NodeId node) {
    return fail_at(nodes_[node].offset, "'&' may only stand where a function takes an expression reference");
  }

  NodeId make(Op op, std::size_t offset, std::int32_t operand = 0) {
    if (nodes_.size() == kNodesMax) return fail("more than 1024 parts", What::too_large);
    nodes_.push_back({op, kNoNode, kNoNode, static_cast<std::uint16_t>(offset), operand});
    shapes_.push_back({});
    return static_cast<NodeId>(nodes_.size() - 1);
  }

  /// Makes `child` the last child of `parent`. Only a call may have an expression reference.
  NodeId adopt(NodeId parent, NodeId child) {
    if (parent == kNoNode || child == kNoNode) return kNoNode;
    if (nodes_[child].op == Op::reference && nodes_[parent].op != Op::call) return fail_reference(child);
    Shape& shape = shapes_[parent];
    (shape.last == kNoNode ? nodes_[parent].child : nodes_[shape.last].sibling) = child;
    shape.last = child;
    shape.height = std::max(shape.height, shapes_[child].height + 1);
    if (shape.height > kNestingMax) return fail("nested deeper than 64 levels", What::too_large);
    return parent;
  }

  NodeId make_pair(Op op, std::size_t offset, NodeId left, NodeId right) {
    if (left == kNoNode || right == kNoNode) return kNoNode;
    return adopt(adopt(make(op, offset), left), right);
  }

  /// For operators where a chain of equal ones is one node: (a.b).c means a.b.c.
  NodeId extend(Op op, std::size_t offset, NodeId left, NodeId right) {
    if (left == kNoNode || right == kNoNode) return kNoNode;
    return nodes_[left].op == op ? adopt(left, right) : make_pair(op, offset, left, right);
  }

  NodeId constant(Op op, std::size_t offset, const json::Value& value) {
    constants_.push_back(value);
    return make(op, offset, static_cast<std::int32_t>(constants_.size() - 1));
  }

  NodeId expression(int power) {
    if (++nesting_ > kNestingMax) return fail("nested deeper than 64 levels", What::too_large);
    NodeId left = prefix();
    while (left != kNoNode && power < power_of(token().type)) left = infix(left);
    --nesting_;
    return left;
  }

  NodeId prefix() {
    const Token& first = take();
    switch (first.type) {
      case Type::name: return token().type == Type::open_round ? call(first) : name(first);
      case Type::quoted_name:
        if (token().type == Type::open_round) return fail("the name of a function stands without quotes");
        return name(first);
      case Type::raw_string:
      case Type::literal: return literal(first);
      case Type::current: return make(Op::current, first.offset);
      case Type::star: return project(Op::project_each, first.offset, make(Op::current, first.offset), kStarPower);
      case Type::flatten: return flatten(make(Op::current, first.offset), first.offset);
      case Type::filter: return filter(make(Op::current, first.offset), first.offset);
      case Type::open_brace: return hash(first.offset);
      case Type::open_square: return square(first.offset);
      case Type::open_round: return group();
      case Type::negate: return adopt(make(Op::negate, first.offset), expression(kNegatePower));
      case Type::reference: return reference(first.offset);
      case Type::end: return fail("the expression ends too early");
      default: return fail_at(first.offset, "an expression cannot begin with this");
    }
  }

  NodeId infix(NodeId left) {
    const Token& sign = take();
    switch (sign.type) {
      case Type::dot:
        if (take_if(Type::star)) return project(Op::project_each, sign.offset, left, kDotPower);
        return extend(Op::chain, sign.offset, left, behind_dot(kDotPower));
      case Type::pipe: return extend(Op::chain, sign.offset, left, expression(kPipePower));
      case Type::any: return extend(Op::any, sign.offset, left, expression(power_of(Type::any)));
      case Type::all: return extend(Op::all, sign.offset, left, expression(power_of(Type::all)));
      case Type::flatten: return flatten(left, sign.offset);
      case Type::filter: return filter(left, sign.offset);
      case Type::open_square: return bracket(left, sign.offset);
      case Type::equal:
      case Type::differ:
      case Type::less:
      case Type::less_or_equal:
      case Type::greater:
      case Type::greater_or_equal:
        return make_pair(comparison_of(sign.type), sign.offset, left, expression(power_of(sign.type)));
      default: return fail_at(sign.offset, "this cannot stand here");
    }
  }

  NodeId name(const Token& token) {
    json::Value text;
    if (!literals_.read(token, text)) return fail_at(token.offset, literals_.reason());
    return constant(Op::field, token.offset, text);
  }

  NodeId literal(const Token& token) {
    json::Value value;
    if (!literals_.read(token, value)) return fail_at(token.offset, literals_.reason());
    return constant(Op::literal, token.offset, value);
  }

  NodeId group() {
    const NodeId inside = expression(0);
    if (inside == kNoNode) return inside;
    return take_if(Type::close_round) ? inside : fail("')' expected");
  }

  NodeId reference(std::size_t offset) { return adopt(make(Op::reference, offset), expression(0)); }

  /// Behind '['.
  NodeId square(std::size_t offset) {
    if (token().type == Type::number || token().type == Type::colon) return index(kNoNode, offset);
    if (token().type == Type::star && type_behind() == Type::close_square) {
      take();
      take();
      return project(Op::project, offset, make(Op::current, offset), kStarPower);
    }
    return list(offset);
  }

  /// Behind `left[`.
  NodeId bracket(NodeId left, std::size_t offset) {
    if (token().type == Type::number || token().type == Type::colon) return index(left, offset);
    if (!take_if(Type::star)) return fail("a number, ':' or '*' expected");
    if (!take_if(Type::close_square)) return fail("']' expected");
    return project(Op::project, offset, left, kStarPower);
  }

  /// An index or slice of `left`, or of the current value when there is no left. A slice is a projection.
  NodeId index(NodeId left, std::size_t offset) {
    const bool is_slice = token().type == Type::colon || type_behind() == Type::colon;
    NodeId made = kNoNode;
    if (is_slice) {
      made = slice(offset);
    } else {
      made = make(Op::index, offset, take().number);
    }
    if (made == kNoNode) return made;
    if (!take_if(Type::close_square)) return fail("']' expected");
    if (left != kNoNode) made = extend(Op::chain, offset, left, made);
    return is_slice && made != kNoNode ? project(Op::project, offset, made, kStarPower) : made;
  }

  NodeId slice(std::size_t offset) {
    Slice out;
    if (token().type == Type::number) out.start = take().number;
    if (!take_if(Type::colon)) return fail("':' expected");
    if (token().type == Type::number) out.stop = take().number;
    if (take_if(Type::colon) && token().type == Type::number) {
      if (token().number == 0) return fail("the step of a slice is not 0");
      out.step = take().number;
    }
    slices_.push_back(out);
    return make(Op::slice, offset, static_cast<std::int32_t>(slices_.size() - 1));
  }

  NodeId flatten(NodeId left, std::size_t offset) {
    return project(Op::project, offset, adopt(make(Op::flatten, offset), left), kFlattenPower);
  }

  NodeId project(Op op, std::size_t offset, NodeId left, int power) {
    if (left == kNoNode) return left;
    return make_pair(op, offset, left, behind_projection(power));
  }

  NodeId filter(NodeId left, std::size_t offset) {
    if (left == kNoNode) return left;
    const NodeId condition = expression(0);
    if (condition == kNoNode) return condition;
    if (!take_if(Type::close_square)) return fail("']' expected");
    const bool bare = token().type == Type::flatten;
    const NodeId right = bare ? make(Op::current, offset) : behind_projection(kFilterPower);
    return adopt(make_pair(Op::project_some, offset, left, right), condition);
  }

  /// What is done with each element of a projection.
  NodeId behind_projection(int power) {
    const Type type = token().type;
    if (power_of(type) < kProjectionStop) return make(Op::current, token().offset);
    if (type == Type::open_square || type == Type::filter) return expression(power);
    if (take_if(Type::dot)) return behind_dot(power);
    return fail("this cannot follow a projection");
  }

  NodeId behind_dot(int power) {
    const std::size_t offset = token().offset;
    switch (token().type) {
      case Type::name:
      case Type::quoted_name:
      case Type::star: return expression(power);
      case Type::open_square: take(); return list(offset);
      case Type::open_brace: take(); return hash(offset);
      default: return fail("a name, '*', '[' or '{' expected behind '.'");
    }
  }

  NodeId list(std::size_t offset) {
    NodeId made = make(Op::list, offset);
    do {
      made = adopt(made, made == kNoNode ? made : expression(0));
    } while (made != kNoNode && take_if(Type::comma));
    if (made == kNoNode) return made;
    return take_if(Type::close_square) ? made : fail("',' or ']' expected");
  }

  NodeId hash(std::size_t offset) {
    NodeId made = make(Op::hash, offset);
    do {
      if (made == kNoNode) return made;
      if (token().type != Type::name && token().type != Type::quoted_name) return fail("a name expected");
      const NodeId key = literal(take());
      if (key == kNoNode) return key;
      if (!take_if(Type::colon)) return fail("':' expected");
      made = adopt(adopt(made, key), expression(0));
    } while (made != kNoNode && take_if(Type::comma));
    if (made == kNoNode) return made;
    return take_if(Type::close_brace) ? made : fail("',' or '}' expected");
  }

  NodeId call(const Token& function) {
    const auto found = find_function(function.text);
    if (!found) return fail_at(function.offset, "there is no function of this name", What::unknown_function);
    NodeId made = make(Op::call, function.offset, static_cast<std::int32_t>(*found));
    take();
    std::size_t count = 0;
    if (token().type != Type::close_round) {
      do {
        if (made == kNoNode) return made;
        if (++count > kArgumentsMax) return fail("more than 32 arguments", What::too_large);
        made = adopt(made, expression(0));
      } while (take_if(Type::comma));
    }
    if (made == kNoNode) return made;
    if (!take_if(Type::close_round)) return fail("',' or ')' expected");
    return check_arguments(made, functions()[*found], count);
  }

  NodeId check_arguments(NodeId made, const Function& row, std::size_t count) {
    if (row.is_variadic ? count < row.arguments : count != row.arguments) {
      return fail_at(nodes_[made].offset, "a wrong number of arguments for this function", What::wrong_arguments);
    }
    NodeId argument = nodes_[made].child;
    for (std::size_t i = 0; i < count; ++i, argument = nodes_[argument].sibling) {
      const bool wants_reference = row.type_of(i) == kReferenceType;
      if (wants_reference == (nodes_[argument].op == Op::reference)) continue;
      if (!wants_reference) return fail_reference(argument);
      return fail_at(nodes_[argument].offset, "the function takes an expression reference (&...) here",
                     What::wrong_arguments);
    }
    return made;
  }

  struct Shape {
    NodeId last = kNoNode;
    std::uint32_t height = 1;
  };

  std::vector<Token> tokens_;
  Literals literals_;
  std::size_t at_ = 0;
  std::uint32_t nesting_ = 0;
  std::vector<Node> nodes_;
  std::vector<Shape> shapes_;
  std::vector<json::Value> constants_;
  std::vector<Slice> slices_;
  CompileError failure_;
};

/// Whether `text` is UTF-8 without U+0000.
bool is_clean(std::string_view text, json::Parser& parser) {
  std::string quoted;
  json::append_quoted(text, quoted);
  const std::size_t size = quoted.size();
  quoted.append(json::kPaddingBytes, '\0');
  return parser.check({quoted.data(), size}).has_value();
}

}  // namespace

tl::expected<Expression, CompileError> Expression::compile(std::string_view text, json::Parser& parser,
                                                           std::pmr::memory_resource& arena) {
  if (text.size() > kTextBytesMax) {
    return tl::unexpected(CompileError{What::too_large, "longer than 4096 bytes", kTextBytesMax});
  }
  if (!is_clean(text, parser)) return tl::unexpected(CompileError{What::syntax, "not UTF-8, or a NUL in it", 0});
  const std::string_view own = json::copy_text(text, arena);
  auto tokens = tokenize(own);
  if (!tokens) return tl::unexpected(tokens.error());
  ExpressionParser expressions{std::move(*tokens), parser, arena};
  const NodeId root = expressions.whole();
  if (root == kNoNode) return tl::unexpected(expressions.failure());
  return Expression{own, expressions.pack(root, arena)};
}

}  // namespace tocsin::jmespath
