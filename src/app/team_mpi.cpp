// The team of a program that was built with MPI: the only file that calls it, always from the main thread
// (MPI_THREAD_FUNNELED). Rank 0 asks by broadcast and collects the answers in order of the ranks. Nothing blocks inside
// MPI: whoever waits looks around for a wish to stop and sleeps, so that ranks may outnumber processors.
#include "stop.hpp"
#include "team.hpp"

#include <mpi.h>

#include <fmt/format.h>

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <new>
#include <thread>
#include <utility>
#include <vector>

namespace cathoscope::app {

namespace {

using namespace std::chrono_literals;

enum Tag { tag_stop = 1, tag_answer = 2 };
constexpr std::size_t largest_piece = std::size_t{64} << 20;  // of a message; MPI counts in int
constexpr const char* farewell = "farewell";

/// Nothing can be told the other ranks any more.
[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "error: {}; all ranks end\n", why);
  MPI_Abort(MPI_COMM_WORLD, static_cast<int>(Exit::internal));
  std::_Exit(static_cast<int>(Exit::internal));
}

void check(int code) {
  if (code == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING + 1> text{};
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  give_up(fmt::format("the ranks cannot talk to each other: {}", text.data()));
}

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "an unknown host";
}

/// What a rank's part of a task came to.
struct Outcome {
  int exit = 0;
  int stop = 0;  ///< with Exit::interrupted: what asked for it
  std::string text;
  std::vector<std::string> warnings;
  std::exception_ptr error{};  ///< of this rank itself

  [[nodiscard]] bool interrupted() const { return exit == static_cast<int>(Exit::interrupted); }
};

Outcome outcome_of(const std::function<std::string()>& work) {
  Outcome o;
  const auto failed = [&](Exit exit, const std::string& what) {
    o.exit = static_cast<int>(exit);
    o.stop = stop_code();
    o.text = what;
    o.error = std::current_exception();
  };
  try {
    o.text = work();
  } catch (const Error& e) {
    failed(e.exit(), e.what());
  } catch (const std::bad_alloc&) {
    failed(Exit::no_memory, "out of memory. Give a rank less with --memory GIB, or use fewer --threads");
  } catch (const std::exception& e) {
    failed(Exit::internal, e.what());
  }
  return o;
}

std::string packed(const Outcome& o) {
  Packed bytes;
  bytes << o.exit << o.stop << host_name() << o.text << std::uint64_t{o.warnings.size()};
  for (const std::string& w : o.warnings) bytes << w;
  return bytes.take();
}

/// Errors and warnings name their rank.
Outcome unpacked(const std::string& bytes, int rank) {
  Outcome o;
  std::string host;
  std::uint64_t warnings = 0;
  Unpacked in(bytes);
  in >> o.exit >> o.stop >> host >> o.text >> warnings;
  const std::string who = fmt::format("rank {} on {}: ", rank, host);
  if (o.exit != 0) o.text = who + o.text;
  for (std::uint64_t i = 0; i < warnings; ++i) {
    std::string text;
    in >> text;
    o.warnings.push_back(who + text);
  }
  return o;
}

}  // namespace

struct Team::Link {
  MPI_Comm ranks = MPI_COMM_NULL;
  int rank = 0, size = 1, on_this_host = 1;
  std::thread::id main = std::this_thread::get_id();
  bool told = false;  ///< that a stop is wanted
  int told_code = 0;
  std::vector<MPI_Request> tellings;

  /// Hears what others tell, and tells them: a helper rank 0, rank 0 all of them.
  void look_around() {
    int waiting = 0;
    MPI_Status status;
    check(MPI_Iprobe(MPI_ANY_SOURCE, tag_stop, ranks, &waiting, &status));
    if (waiting != 0) {
      int code = 0;
      check(MPI_Recv(&code, 1, MPI_INT, status.MPI_SOURCE, tag_stop, ranks, MPI_STATUS_IGNORE));
      request_stop(code);
    }
    if (told || !stop_flag()) return;
    told = true;
    told_code = stop_code();
    for (int other = rank == 0 ? 1 : 0; other < (rank == 0 ? size : 1); ++other) {
      tellings.emplace_back();
      check(MPI_Isend(&told_code, 1, MPI_INT, other, tag_stop, ranks, &tellings.back()));
    }
  }

  void wait(MPI_Request& request) {
    const auto start = std::chrono::steady_clock::now();
    for (;;) {
      int done = 0;
      check(MPI_Test(&request, &done, MPI_STATUS_IGNORE));
      if (done != 0) return;
      look_around();
      const auto waited = std::chrono::steady_clock::now() - start;
      if (waited < 2ms)
        sched_yield();
      else
        std::this_thread::sleep_for(waited < 1s ? 100us : 2ms);
    }
  }

  /// Calls start(data, bytes, request) for every piece of a buffer, one after the other.
  template <class F>
  void in_pieces(std::string& text, const F& start) {
    for (std::size_t at = 0; at < text.size(); at += largest_piece) {
      MPI_Request request = MPI_REQUEST_NULL;
      check(start(text.data() + at, static_cast<int>(std::min(largest_piece, text.size() - at)), &request));
      wait(request);
    }
  }

  void broadcast(std::string& text) {
    std::uint64_t bytes = text.size();
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Ibcast(&bytes, 1, MPI_UINT64_T, 0, ranks, &request));
    wait(request);
    text.resize(static_cast<std::size_t>(bytes));
    in_pieces(text, [&](char* data, int n, MPI_Request* r) { return MPI_Ibcast(data, n, MPI_CHAR, 0, ranks, r); });
  }

  void send(std::string text) {
    std::uint64_t bytes = text.size();
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Isend(&bytes, 1, MPI_UINT64_T, 0, tag_answer, ranks, &request));
    wait(request);
    in_pieces(text,
              [&](char* data, int n, MPI_Request* r) { return MPI_Isend(data, n, MPI_CHAR, 0, tag_answer, ranks, r); });
  }

  std::string receive(int from) {
    std::uint64_t bytes = 0;
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Irecv(&bytes, 1, MPI_UINT64_T, from, tag_answer, ranks, &request));
    wait(request);
    std::string text(static_cast<std::size_t>(bytes), '\0');
    in_pieces(text, [&](char* data, int n, MPI_Request* r) {
      return MPI_Irecv(data, n, MPI_CHAR, from, tag_answer, ranks, r);
    });
    return text;
  }

  void request_task(const std::string& task, const std::string& request) {
    Packed both;
    both << task << request;
    std::string bytes = both.take();
    broadcast(bytes);
  }

  /// All outcomes are there: throws the first error, a wish to stop last.
  static void throw_first(const std::vector<Outcome>& outcomes) {
    const Outcome* first = nullptr;
    for (const Outcome& o : outcomes)
      if (o.exit != 0 && (first == nullptr || (first->interrupted() && !o.interrupted()))) first = &o;
    if (first == nullptr) return;
    if (first->interrupted() && first->stop != 0) request_stop(first->stop);
    if (first->error) std::rethrow_exception(first->error);
    throw Error(static_cast<Exit>(first->exit), first->text);
  }

  void finish() {
    check(MPI_Barrier(ranks));
    for (MPI_Request& r : tellings) MPI_Request_free(&r);
    MPI_Finalize();
  }
};

Team::Team(bool part) : link_(std::make_unique<Link>()) {
  if (launched().size <= 1) return;
  int given = 0;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &given);
  MPI_Comm_dup(MPI_COMM_WORLD, &link_->ranks);
  MPI_Comm_set_errhandler(link_->ranks, MPI_ERRORS_RETURN);
  MPI_Comm_rank(link_->ranks, &link_->rank);
  MPI_Comm_size(link_->ranks, &link_->size);
  MPI_Comm host = MPI_COMM_NULL;
  MPI_Comm_split_type(link_->ranks, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host);
  MPI_Comm_size(host, &link_->on_this_host);
  MPI_Comm_free(&host);
  handle_signals();  // those that MPI may have taken
  if (given < MPI_THREAD_FUNNELED) give_up("this MPI does not allow threads");
  if (link_->size == 1) {
    MPI_Finalize();
    if (part) return;
    fail(Exit::usage,
         "{} processes of this run were started together, but MPI knows of one: start them with mpirun, or with "
         "srun --mpi=pmix",
         launched().size);
  }
}

Team::~Team() = default;

int Team::rank() const { return link_->rank; }
int Team::size() const { return link_->size; }
int Team::on_this_host() const { return link_->on_this_host; }

Exit Team::lead(const std::function<Exit()>& work) {
  if (link_->size == 1) return work();
  const auto let_go = [&] {
    link_->request_task(farewell, {});
    link_->finish();
  };
  Exit exit = Exit::ok;
  try {
    exit = work();
  } catch (...) {
    let_go();
    throw;
  }
  let_go();
  return exit;
}

Ranks Team::ranks(std::function<void(const std::string&)> warn) {
  if (link_->size == 1) return {};
  Ranks all;
  all.size = link_->size;
  all.ask = [link = link_.get(), warn = std::move(warn)](const std::string& task, const std::string& request,
                                                         const std::function<std::string()>& mine) {
    if (std::this_thread::get_id() != link->main) fail(Exit::internal, "ranks were asked from a second thread");
    link->request_task(task, request);
    std::vector<Outcome> outcomes{outcome_of(mine)};
    try {
      for (int other = 1; other < link->size; ++other) outcomes.push_back(unpacked(link->receive(other), other));
    } catch (const std::exception& e) {  // out of memory: the others would wait for ever to be heard
      give_up(fmt::format("the first rank cannot take what the others found: {}", e.what()));
    }
    for (const Outcome& o : outcomes)
      for (const std::string& w : o.warnings) warn(w);
    Link::throw_first(outcomes);
    std::vector<std::string> answers;
    for (Outcome& o : outcomes) answers.push_back(std::move(o.text));
    return answers;
  };
  return all;
}

void Team::serve(const RankTasks& tasks, const Progress& progress) {
  std::size_t warned = 0;
  for (;;) {
    std::string bytes, task, request;
    link_->broadcast(bytes);
    Unpacked(bytes) >> task >> request;
    if (task == farewell) return link_->finish();
    Outcome mine = outcome_of([&] {
      const auto found = tasks.find(task);
      if (found == tasks.end()) fail(Exit::internal, "rank {} knows no task '{}'", link_->rank, task);
      return found->second(request);
    });
    const auto warnings = progress.warnings();
    mine.warnings.assign(warnings.begin() + static_cast<std::ptrdiff_t>(warned), warnings.end());
    warned = warnings.size();
    link_->send(packed(mine));
  }
}

ProgressListener Team::listener(ProgressListener inner) {
  if (link_->size == 1) return inner;
  return {[link = link_.get(), on_progress = inner.on_progress](const std::string& task, double fraction) {
            if (std::this_thread::get_id() == link->main) link->look_around();
            if (on_progress) on_progress(task, fraction);
          },
          inner.on_warning};
}

}  // namespace cathoscope::app
