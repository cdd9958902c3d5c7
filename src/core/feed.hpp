// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "src/core/delivery.hpp"
#include "src/core/job.hpp"
#include "src/registry/registry.hpp"

namespace tocsin::core {

inline constexpr std::size_t kBatchItemsMax = 1'000;

/// Reads the next batch for an upstream and encodes it as a data frame of the channel.
/// Memory: one frame, at most the channel's largest.
class FeedJob final : public Job {
 public:
  using Done = std::function<void(const FeedRequest&, const Status&, const FeedResult&, std::string&& frame,
                                  std::uint32_t damaged)>;
  FeedJob(const FeedRequest& request, registry::Registry::Pointer registry, std::shared_ptr<const BootClocks> clocks,
          Done done);

  [[nodiscard]] bool is_urgent() const noexcept override { return true; }
  [[nodiscard]] Result<bool> step(port::ReadTxn& txn) override;
  void finish(const Status& outcome) noexcept override;

 private:
  FeedRequest request_;
  registry::Registry::Pointer registry_;
  std::shared_ptr<const BootClocks> clocks_;
  Done done_;
  FeedResult result_;
  std::string frame_;
  std::uint32_t damaged_ = 0;
};

}  // namespace tocsin::core
