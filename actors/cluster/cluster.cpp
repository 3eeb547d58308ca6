#include "actors/cluster/cluster.hpp"

#include "actors/caf/reply.hpp"

#include <algorithm>
#include <utility>

namespace mistify::actors::cluster {

namespace {

using rpc::errc;
using rpc::failure;
using namespace std::chrono_literals;

/// A request to one member must not outlast the time in which the lease has to be kept, whichever member fails.
std::chrono::milliseconds time_of_request(std::chrono::seconds ttl) {
  return std::clamp<std::chrono::milliseconds>(ttl / 6, 1s, 5s);
}

std::unique_ptr<rpc::etcd::client> connect(const cluster_options& options) {
  rpc::etcd::client_settings to{options.etcd, options.user, options.password, {}};
  to.session.ca = options.ca;
  to.session.timeout = time_of_request(options.ttl);
  to.session.connect_timeout = std::min<std::chrono::milliseconds>(2s, to.session.timeout);
  return rpc::etcd::make_client(options.v2 ? rpc::etcd::api::v2 : rpc::etcd::api::v3, std::move(to));
}

} // namespace

membership::membership(const cluster_options& options, const std::string& instance, rpc::metrics::registry& measured,
                       const host_state& host, const store::guest_index& guests, store::event_feed& events,
                       const store::job_reader& jobs)
  : guests_{guests}, status_{measured}, source_{host, guests, events, jobs},
    registrar_{{options.prefix, options.id, instance, facts_of_address(options.ip), options.ttl},
               connect(options),
               status_,
               source_},
    listener_{events.listen([this] { registrar_.note_change(); })} {}

void membership::stop() {
  listener_ = nullptr;
  registrar_.stop();
}

void membership::resign(std::chrono::milliseconds longest) {
  listener_ = nullptr;
  registrar_.resign(longest);
}

cluster_actor::behavior_type member_behavior(inspectable_pointer<cluster_actor, member> self, membership* of,
                                             actor_registry* actors) {
  self->register_in(*actors);
  return self->state.behavior(of);
}

cluster_actor::behavior_type member::behavior(membership* of) {
  of_ = of;
  return {
    [this](leave_atom, bool force) { return leave(force); },
    [this](resume_atom, const std::string& error) {
      leaving_ = false;
      if (error.empty())
        history_.note(self_->clock().now(), "left the cluster");
      else
        history_.note_error(self_->clock().now(), error);
    },
    [this](status_atom, bool in_full) {
      actor_status out;
      tell(out, in_full);
      return out;
    },
  };
}

/// The registrar answers from its thread.
caf::result<bool> member::leave(bool force) {
  if (const auto guests = of_->guests(); guests > 0 && !force)
    return to_error({errc::conflict, std::to_string(guests) + " guests live here: delete or move them, or use force"});
  leaving_ = true;
  since_ = self_->clock().now();
  reply<bool> answer{self_};
  auto later = answer.later();
  of_->leave([answer, me = caf::actor_cast<cluster_actor>(self_)](rpc::outcome<bool> outcome) {
    const auto* why = std::get_if<failure>(&outcome);
    if (why)
      answer.deliver(*why);
    else
      answer.deliver(true);
    caf::anon_send(me, resume_atom_v, why ? why->message() : std::string{});
  });
  return later;
}

void member::tell(actor_status& to, bool in_full) const {
  const auto now = self_->clock().now();
  if (leaving_)
    to.works_on = actor_status::work{"leaves the cluster", now - since_};
  if (in_full)
    history_.tell(to, now);
}

} // namespace mistify::actors::cluster
