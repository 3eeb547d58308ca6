#pragma once

#include "actors/inspect/actor_registry.hpp"
#include "actors/interfaces.hpp"

#include <caf/all.hpp>

#include <exception>
#include <string>
#include <utility>

namespace mistify::actors {

/// A stateful actor that counts its messages and is registered in the actor_registry. Its state has a `name`, which is its
/// kind, and
///   bool busy() const;                            // true while work is in progress
///   void tell(actor_status& to, bool in_full) const; // writes the status; in full with the history
///   const history& recent() const;                   // its errors are copied to the actor_registry
template <class Handle, class State>
class inspectable : public caf::stateful_actor<State, typename Handle::base> {
  using super = caf::stateful_actor<State, typename Handle::base>;

public:
  explicit inspectable(caf::actor_config& config) : super{config} {
    this->set_exception_handler([](caf::scheduled_actor*, std::exception_ptr& thrown) { return error_of(thrown); });
  }

  /// Registers the actor. Called first by a behaviour.
  void register_in(actor_registry& in, named_after subject = named_after::nothing, std::string name = {}) {
    roster_ = &in;
    row_ = {State::name, subject, std::move(name), this->ctrl(), &presence_, {}};
    in.enter(&row_);
  }

  /// As registered; lives as long as the actor.
  const std::string& registered_name() const noexcept { return row_.name; }

  actor_status status(bool in_full) const {
    actor_status out;
    this->state.tell(out, in_full);
    return out;
  }

  using super::enqueue;
  void enqueue(caf::mailbox_element_ptr what, caf::execution_unit* on) override {
    presence_.arrived();
    super::enqueue(std::move(what), on);
  }

  caf::invoke_message_result consume(caf::mailbox_element& what) override {
    presence_.begins(message_of(what), this->clock().now());
    const auto result = super::consume(what);
    presence_.ends(result != caf::invoke_message_result::skipped, this->state.busy());
    if (const auto errors = this->state.recent().errors(); errors != errors_told_ && roster_) {
      errors_told_ = errors;
      roster_->note_error(&row_, *this->state.recent().last_error());
    }
    return result;
  }

  /// May run more than once, and also for an actor without references.
  bool cleanup(caf::error&& why, caf::execution_unit* on) override {
    if (auto* from = std::exchange(roster_, nullptr))
      from->leave(&row_, fault_of(why), this->clock().now());
    return super::cleanup(std::move(why), on);
  }

private:
  static caf::error error_of(const std::exception_ptr& thrown) {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& e) {
      return to_error({rpc::errc::internal, e.what()});
    } catch (...) {
      return to_error({rpc::errc::internal, "unknown exception"});
    }
  }

  static std::string fault_of(const caf::error& why) {
    if (!why || why == caf::exit_reason::normal || why == caf::exit_reason::user_shutdown ||
        why == caf::exit_reason::unreachable)
      return {};
    return why == caf::exit_reason::kill ? "killed" : to_failure(why).message();
  }

  static caf::atom_value message_of(const caf::mailbox_element& what) {
    if (what.mid.is_response())
      return caf::atom("answer");
    const auto& content = what.content();
    const bool named = !content.empty() && content.template match_element<caf::atom_value>(0);
    return named ? content.template get_as<caf::atom_value>(0) : caf::atom("system");
  }

  presence presence_;
  std::size_t errors_told_ = 0;
  actor_registry* roster_ = nullptr;
  actor_registry::row row_;
};

/// The type of a behaviour's `self`.
template <class Handle, class State>
using inspectable_pointer = inspectable<Handle, State>*;

} // namespace mistify::actors
