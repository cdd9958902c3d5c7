// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

#include "src/port/store.hpp"
#include "tests/fault/fail_new.hpp"

namespace tocsin::test {

template <class Call>
auto calm(Call call) {
  const FailNew::Pause pause;
  return call();
}

/// A store whose own memory is not what is tried: while it works, allocations succeed. Only the transaction objects
/// themselves may fail, as with the real store.
class CalmStore final : public port::Store {
 public:
  explicit CalmStore(port::Store& store) : store_(store) {}

  [[nodiscard]] Result<std::unique_ptr<port::WriteTxn>> begin_write() override {
    auto inner = calm([&] { return store_.begin_write(); });
    if (!inner.ok()) return inner.error();
    return std::unique_ptr<port::WriteTxn>(std::make_unique<Write>(std::move(*inner)));
  }
  [[nodiscard]] Result<std::unique_ptr<port::ReadTxn>> begin_read() override {
    auto inner = calm([&] { return store_.begin_read(); });
    if (!inner.ok()) return inner.error();
    return std::unique_ptr<port::ReadTxn>(std::make_unique<Read>(std::move(*inner)));
  }
  [[nodiscard]] port::StoreUse use() const override { return store_.use(); }
  [[nodiscard]] Status reopen() override {
    return calm([&] { return store_.reopen(); });
  }
  [[nodiscard]] Status put_note(Bytes note) override {
    return calm([&] { return store_.put_note(note); });
  }
  [[nodiscard]] Result<std::size_t> get_note(std::span<std::byte, port::kNoteBytesMax> out) override {
    return calm([&] { return store_.get_note(out); });
  }

 private:
  template <class Port, class Inner>
  class Reading : public Port {
   public:
    explicit Reading(std::unique_ptr<Inner> inner) : inner_(std::move(inner)) {}
    [[nodiscard]] Result<std::optional<Bytes>> get(Bytes key) override {
      return calm([&] { return inner_->get(key); });
    }
    [[nodiscard]] Result<std::optional<port::Entry>> at_or_after(Bytes key) override {
      return calm([&] { return inner_->at_or_after(key); });
    }
    [[nodiscard]] Result<std::optional<port::Entry>> before(Bytes key) override {
      return calm([&] { return inner_->before(key); });
    }

   protected:
    std::unique_ptr<Inner> inner_;
  };
  using Read = Reading<port::ReadTxn, port::ReadTxn>;
  class Write final : public Reading<port::WriteTxn, port::WriteTxn> {
   public:
    using Reading::Reading;
    [[nodiscard]] Status put(Bytes key, Bytes value) override {
      return calm([&] { return inner_->put(key, value); });
    }
    [[nodiscard]] Result<std::span<std::byte>> reserve(Bytes key, std::size_t value_bytes) override {
      return calm([&] { return inner_->reserve(key, value_bytes); });
    }
    [[nodiscard]] Status erase(Bytes key) override {
      return calm([&] { return inner_->erase(key); });
    }
    [[nodiscard]] Status commit() override {
      return calm([&] { return inner_->commit(); });
    }
  };
  port::Store& store_;
};

}  // namespace tocsin::test
