#include "browser.hpp"

#include "test/system/house.hpp"

#include <catch2/catch.hpp>

#include <csignal>

using namespace mistify::test;

namespace {

std::string page_of(const house& h, const std::string& rest = "") {
  return "http://127.0.0.1:" + std::to_string(h.http.port()) + "/debug/actors" + rest;
}

/// The text of a row of the list, counted from 0 in the order in which they are seen.
std::string row(int index) {
  return "(document.querySelector('#body [aria-rowindex=\"" + std::to_string(index + 2) + "\"]')?.innerText ?? '')";
}

/// A guest whose reboot hangs in its sub-agent.
std::string stuck_guest(house& h) {
  h.sub.on("Test.Reboot", [](const call&) { return hang(); });
  const auto id = h.create_guest();
  h.http.post("/guests/" + id + "/reboot");
  REQUIRE(h.sub.wait_for("Test.Reboot", 1));
  return id;
}

/// Lets the page believe in an agent with so many guests, of which every hundredth is at work.
void pretend_guests(browser& b, int guests) {
  b.run(
    "void (window.fetch = async (path) => { const q = new URL(path, location).searchParams;"
    "const all = Array.from({length: " +
    std::to_string(guests) +
    "}, (_, i) => { const name = `guest-${String(i).padStart(5, 0)}`;"
    "const busy = i % 100 === 0; return {id: `guest_runner:${name}`, kind: 'guest_runner', name, guest: name, service: "
    "'',"
    "state: busy ? 'working' : 'idle', stuck: '', age: busy ? i / 100 : 0, mailbox: 0, handles: null,"
    "work: busy ? {doing: 'waits for the answer of Test.Run', job: 'j', action: 'start', stage: 1, method: 'Test.Run',"
    " since: '', age: i / 100} : null, throttles: [], queued: i % 7, queue: [], calls_out: 0, calls: [], restarts: 0,"
    " last_error: null}; });"
    "const fit = all.filter((a) => (q.get('idle') === 'true' || a.work) && a.id.includes(q.get('search') ?? ''));"
    "return new Response(JSON.stringify({totals: {actors: all.length, idle: 0, working: 0, silent: 0, stuck: 0, "
    "queued: 0,"
    " calls: 0, mailbox: 0}, found: fit.length, actors: fit.slice(0, +q.get('limit'))})); })");
}

/// WCAG's contrast between an element's text and what is behind it.
std::string contrast(const std::string& selector) {
  return "(() => { const rgb = (c) => c.match(/[\\d.]+/g).map((v, i) => c.startsWith('color(') && i < 3 ? v * 255 : "
         "+v);"
         "const light = (c) => { const [r, g, b] = rgb(c).map((v) => v / 255).map((v) => v <= 0.03928 ? v / 12.92 : "
         "((v + 0.055) / 1.055) ** 2.4);"
         "return 0.2126 * r + 0.7152 * g + 0.0722 * b; };"
         "const e = document.querySelector('" +
         selector +
         "'); let behind = e;"
         "while (behind && rgb(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;"
         "const [a, b] = [light(getComputedStyle(e).color), light(getComputedStyle(behind).backgroundColor)].sort((x, "
         "y) => y - x);"
         "return (a + 0.05) / (b + 0.05); })()";
}

} // namespace

TEST_CASE("a hanging call is on top of the page, with the service, its age and the job") {
  house h;
  h.create_guest();
  const auto id = stuck_guest(h);
  browser b;
  b.open(page_of(h, "?patience=1s"));
  REQUIRE(b.becomes("document.querySelectorAll('#body .row').length === 2"));
  REQUIRE(b.shows("#stuck-tile", "2"));
  CHECK(b.becomes("document.title.startsWith('(2 stuck)')"));
  const auto first = b.text(row(0)), second = b.text(row(1));
  CHECK(first.starts_with("stuck"));
  CHECK(first.find("test\nservice\nwaits for the answer of Test.Reboot") != std::string::npos);
  CHECK(second.find(id) != std::string::npos);
  CHECK(second.find("reboot ") != std::string::npos);
  b.screenshot("stuck");

  const auto age = "parseFloat(document.querySelector('#body .row .number').innerText)";
  const auto before = std::stod(b.run(age));
  CHECK(b.becomes(age + std::string{" > "} + std::to_string(before))); // it is live
  CHECK(b.errors() == "[]");
}

TEST_CASE("the page follows what happens") {
  house h;
  const auto id = h.create_guest();
  gate door;
  h.sub.on("Test.Reboot", [&](const call& c) {
    door.wait();
    return echo(c);
  });
  browser b;
  b.open(page_of(h));
  CHECK(b.shows("#nothing", "Nobody has anything to do."));
  const auto job = h.http.post("/guests/" + id + "/reboot").job();
  CHECK(b.becomes(row(1) + ".includes('" + job + "') || " + row(0) + ".includes('" + job + "')"));
  door.open();
  CHECK(b.shows("#nothing", "Nobody has anything to do."));

  b.click("#pause");
  CHECK(b.shows("#live", "paused"));
  b.click("#pause");
  CHECK(b.shows("#live", "live"));
  h.agent.running().signal(SIGKILL);
  CHECK(h.agent.running().wait() == 128 + SIGKILL);
  CHECK(b.shows("#live", "the agent cannot be reached"));
  h.agent.start();
  CHECK(b.shows("#live", "live"));
}

TEST_CASE("search finds an idle guest, and a kind can be chosen") {
  house h;
  h.create_guest();
  const auto id = h.create_guest();
  browser b;
  b.open(page_of(h));
  b.type("#search", id.substr(0, 13));
  CHECK(b.shows("#found", "1 actor"));
  CHECK(b.becomes(row(0) + ".includes('" + id + "')"));
  b.run("void (document.querySelector('#search').value = '')");
  b.type("#search", "nothing like it");
  CHECK(b.shows("#nothing", "Nothing of that name."));
  b.run("void (document.querySelector('#search').value = '')");
  b.type("#search", "r");
  b.run("void (document.querySelector('#kind').value = 'front', document.querySelector('#kind').onchange())");
  CHECK(b.shows("#found", "1 actor"));
}

TEST_CASE("one actor is shown with its history, at a path of its own, whatever its sub-agent wrote") {
  house h;
  const auto id = h.create_guest();
  h.sub.on("Test.Reboot",
           [](const call& c) { return rpc_error(c, R"("<img src=x onerror=\"document.title='taken'\">")"); });
  const auto job = h.http.post("/guests/" + id + "/reboot").job();
  REQUIRE(h.outcome(job) == "Error");
  browser b;
  b.open(page_of(h));
  REQUIRE(b.shows("#body .row.is-idle .error", "<img src=x")); // who failed is shown, idle or not
  b.click("#body a[href$='" + id + "']");
  CHECK(b.shows("#detail", "reboot ended in an error: <img src=x"));
  CHECK(b.shows("#detail", "create is complete"));
  CHECK(b.run("document.querySelectorAll('img').length") == "0");
  CHECK(b.text("location.pathname") == "/debug/actors/guest_runner%3A" + id);
  CHECK(b.text("document.querySelector('#detail a[href^=\"/jobs/\"]').innerText") == job);
  b.screenshot("one");

  b.open(page_of(h, "/guest_runner%3A" + id)); // as a link that somebody was sent
  CHECK(b.shows("#detail", "create is complete"));
  b.type("#list", "\uE00C");
  CHECK(b.becomes("document.querySelector('#detail').hidden"));
  CHECK(b.text("location.pathname") == "/debug/actors");
  b.back();
  CHECK(b.shows("#detail", "create is complete"));
  b.open(page_of(h, "/nobody"));
  CHECK(b.shows("#detail", "It is not there"));
}

TEST_CASE("of 10,000 guests only those exist as rows that are seen, and sorting and scrolling are quick") {
  house h;
  browser b;
  b.open(page_of(h));
  pretend_guests(b, 10'000);
  CHECK(b.shows("#found", "100 actors"));
  b.click("[data-view=all]");
  REQUIRE(b.shows("#found", "10,000 actors"));
  CHECK(std::stoi(b.run("document.querySelectorAll('#body .row').length")) < 60);

  b.click("[data-sort=id]");
  CHECK(b.becomes(row(0) + ".includes('guest-00000')"));
  b.click("[data-sort=id]");
  CHECK(b.becomes(row(0) + ".includes('guest-09999')"));
  CHECK(b.text("document.querySelector('[data-sort=id]').parentNode.getAttribute('aria-sort')") == "descending");
  b.click("[data-sort=age]");
  CHECK(b.becomes(row(0) + ".includes('guest-09900')"));
  b.screenshot("ten_thousand");

  b.run("void (document.querySelector('#list').scrollTop = 1e9)");
  CHECK(b.becomes("document.querySelector('#body [aria-rowindex=\"10001\"]') !== null"));
  CHECK(
    b.becomes("(() => { const r = document.querySelector('#body [aria-rowindex=\"10001\"]').getBoundingClientRect();"
              "return r.top > 0 && r.bottom <= innerHeight + 1; })()"));
  CHECK(std::stoi(b.run("document.querySelectorAll('#body .row').length")) < 60);
  // A screen is drawn anew in less than the 16 ms of a frame, on the slowest of machines in some of them.
  const auto took = "(() => { const l = document.querySelector('#list'), t = performance.now();"
                    "for (let i = 0; i < 50; ++i) { l.scrollTop = i * 8000; "
                    "document.querySelector('[data-sort=mailbox]').click(); l.getBoundingClientRect(); }"
                    "return (performance.now() - t) / 50; })()";
  CHECK(std::stod(b.run(took)) < 100);

  b.type("#search", "guest-01234");
  CHECK(b.shows("#found", "1 actor"));
  CHECK(b.errors() == "[]");
}

TEST_CASE("the page can be read in the dark, in the light, and on a narrow screen") {
  house h;
  h.create_guest();
  stuck_guest(h);
  browser b;
  b.open(page_of(h, "?patience=1s"));
  REQUIRE(b.shows("#body", "stuck"));
  for (const bool dark : {false, true}) {
    b.prefer_dark(dark);
    const auto ground = std::stoi(b.text("getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]"));
    CHECK((ground < 100) == dark);
    for (const auto* selector : {"h1", "#live", "#stuck-tile", ".tile:last-child", "#found", "#body .state", "#body a",
                                 "#body small", "#body .number", "#head button", "nav a"}) {
      INFO(selector << (dark ? " in the dark" : " in the light"));
      CHECK(std::stod(b.run(contrast(selector))) >= 4.5);
    }
    b.screenshot(dark ? "dark" : "light");
  }
  b.click("[data-view=all]");
  b.screenshot("dark_all");
  b.resize(500, 800); // the narrowest that Chromium makes a window
  CHECK(b.becomes("document.scrollingElement.scrollWidth <= innerWidth"));
  CHECK(b.shows("#body .row", "waits for the answer of Test.Reboot"));
  b.screenshot("narrow");
  b.click("#body .row");
  REQUIRE(b.shows("#detail", "Calls in flight"));
  CHECK(b.becomes("document.querySelector('#detail').getBoundingClientRect().width === innerWidth"));
  b.screenshot("narrow_one");
}
