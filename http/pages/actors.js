(() => {
  const root = "/debug/actors";
  const few = 500;      // rows of the views that are asked for every second; the order says that no other is more urgent
  const many = 100000;
  const rows_beside = 12; // drawn above and below what is seen, so that scrolling does not show gaps
  const $ = (id) => document.getElementById(id);
  const list = $("list"), body = $("body"), detail = $("detail");

  const state = {
    view: "work", search: "", kind: "", sort: "", down: true, paused: false,
    rows: [], found: 0, selected: "",
  };

  // -- words ---------------------------------------------------------------------------------------------------------

  const age_words = (s) => {
    if (s < 10) return `${s.toFixed(1)} s`;
    if (s < 120) return `${Math.floor(s)} s`;
    if (s < 7200) return `${Math.floor(s / 60)} min`;
    if (s < 172800) return `${Math.floor(s / 3600)} h`;
    return `${Math.floor(s / 86400)} days`;
  };
  const count = (n) => n.toLocaleString("en");
  const kind_words = (kind) => kind.replaceAll("_", " ");

  const doing = (a) => {
    if (a.work) return a.work.doing;
    if (a.calls_out > 0) return `waits for the answer of ${a.calls[0].method}`;
    if (a.handles) return `handles ${a.handles.message}`;
    return "";
  };
  const because = (a) => {
    if (a.work && a.work.job) return `${a.work.action} ${a.work.job}`;
    if (a.calls_out > 0 && a.calls[0].guest && a.service)
      return `for ${a.calls[0].guest}${a.calls_out > 1 ? ` and ${count(a.calls_out - 1)} more` : ""}`;
    return "";
  };

  // -- elements; texts are set as texts, since sub-agents may have written them ---------------------------------------

  const put = (into, text) => {
    if (into.textContent !== text) into.textContent = text;
  };
  const put_number = (into, n) => {
    put(into, count(n));
    into.classList.toggle("zero", n === 0);
  };
  const path_of = (id) => `${root}/${encodeURIComponent(id)}`;

  const make_row = () => {
    const row = element("div", {class: "row", role: "row"});
    const cell = (attributes, ...children) => row.appendChild(element("div", {role: "cell", ...attributes}, ...children));
    row.state = cell({}).appendChild(element("span"));
    row.link = element("a");
    row.under_link = element("small");
    cell({class: "actor"}, row.link, row.under_link);
    row.does = element("span");
    row.under_does = element("small");
    cell({class: "does"}, row.does, row.under_does);
    row.numbers = Array.from({length: 5}, () => cell({class: "number"}));
    return row;
  };

  const fill_row = (row, a, index) => {
    row.actor = a.id;
    row.setAttribute("aria-rowindex", index + 2);
    row.setAttribute("aria-selected", a.id === state.selected);
    row.className = `row is-${a.state}`;
    put(row.state, a.state);
    row.state.className = `state ${a.state}`;
    put(row.link, a.name || kind_words(a.kind));
    row.link.href = path_of(a.id);
    row.title = a.stuck || doing(a);
    put(row.under_link, (!is_wide() && doing(a)) || (a.name ? kind_words(a.kind) : ""));
    put(row.does, doing(a));
    const error = !because(a) && a.last_error;
    put(row.under_does, error ? `${age_words(error.age)} ago: ${error.text}` : because(a));
    row.under_does.className = error ? "error" : "mono";
    const [age, ...others] = row.numbers;
    put(age, a.age > 0 ? age_words(a.age) : "");
    [a.mailbox, a.queued, a.calls_out, a.restarts].forEach((n, i) => put_number(others[i], n));
  };

  const is_wide = () => list.clientWidth > 640; // as in actors.css

  // -- the list: only the rows that are seen exist -------------------------------------------------------------------

  const drawn = new Map(); // index → row
  const draw = () => {
    const height = is_wide() ? 44 : 58;
    const first = Math.max(0, Math.floor(list.scrollTop / height) - rows_beside);
    const last = Math.min(state.rows.length, Math.ceil((list.scrollTop + list.clientHeight) / height) + rows_beside);
    body.style.height = `${state.rows.length * height}px`;
    list.setAttribute("aria-rowcount", state.rows.length + 1);
    const spare = [];
    for (const [index, row] of drawn)
      if (index < first || index >= last) {
        drawn.delete(index);
        spare.push(row);
      }
    for (let index = first; index < last; ++index) {
      let row = drawn.get(index);
      if (!row) {
        row = spare.pop() || make_row();
        drawn.set(index, row);
        row.style.transform = `translateY(${index * height}px)`;
        if (row.parentNode !== body) body.append(row);
      }
      row.style.transform = `translateY(${index * height}px)`;
      fill_row(row, state.rows[index], index);
    }
    for (const row of spare) row.remove();
  };

  const key_of = {
    state: (a) => ["silent", "stuck", "working", "idle"].indexOf(a.state),
    doing: (a) => doing(a),
  };
  const sort_rows = () => {
    if (!state.sort) return; // as it came: what needs a look is first
    const key = key_of[state.sort] || ((a) => a[state.sort]);
    const sign = state.down ? -1 : 1;
    state.rows.sort((a, b) => {
      const x = key(a), y = key(b);
      return x < y ? -sign : x > y ? sign : a.id < b.id ? -1 : 1;
    });
  };

  const show_list = () => {
    sort_rows();
    for (const header of document.querySelectorAll("[data-sort]")) {
      const by = header.dataset.sort === state.sort ? (state.down ? "descending" : "ascending") : "none";
      header.parentNode.setAttribute("aria-sort", by);
    }
    const more = state.found > state.rows.length ? `the ${count(state.rows.length)} most urgent of ` : "";
    put($("found"), `${more}${count(state.found)} shown`.replace("shown", more ? "" : state.found === 1 ? "actor" : "actors"));
    $("nothing").hidden = state.rows.length > 0;
    put($("nothing"), state.search || state.kind ? "Nothing of that name."
      : state.view === "stuck" ? "Nothing is stuck." : "Nobody has anything to do.");
    draw();
  };

  const show_totals = (totals) => {
    for (const tile of document.querySelectorAll("[data-total]")) put(tile, count(totals[tile.dataset.total]));
    $("stuck-tile").classList.toggle("some", totals.stuck > 0);
    document.title = totals.stuck > 0 ? `(${totals.stuck} stuck) Actors · Mistify Agent` : "Actors · Mistify Agent";
  };

  // -- one actor -----------------------------------------------------------------------------------------------------

  const job_link = (id) => element("a", {href: `/jobs/${encodeURIComponent(id)}`, class: "mono"}, id);
  const term = (dl, name, ...values) => {
    if (values.some((v) => v !== "")) dl.append(element("dt", {}, name), element("dd", {}, ...values));
  };
  const section = (title, items) =>
    items.length === 0 ? [] : [element("h2", {}, title), element("ol", {}, ...items)];
  const item = (left, ...right) => element("li", {}, left, element("span", {}, ...right));
  const when = (e, words) => element("time", {datetime: e.since, title: e.since}, words);

  const terms_of = (a) => {
    const dl = element("dl");
    term(dl, "State", element("span", {class: `state ${a.state}`}, a.state));
    if (a.work) {
      term(dl, "Does", `${a.work.doing}, for ${age_words(a.work.age)}`);
      if (a.work.job) term(dl, "Job", job_link(a.work.job), ` (${a.work.action})`);
      if (a.work.request) term(dl, "Request", element("span", {class: "mono"}, a.work.request));
      if (a.work.stage) term(dl, "Stage", `${a.work.stage} (${a.work.method})`);
    }
    if (a.handles) term(dl, "Handles", `${a.handles.message}, for ${age_words(a.handles.age)}`);
    if (a.guest && a.guest !== "agent") term(dl, "Guest", element("a", {href: `/guests/${encodeURIComponent(a.guest)}`, class: "mono"}, a.guest));
    term(dl, "Mailbox", count(a.mailbox));
    term(dl, "Restarts", count(a.restarts));
    if (a.last_error) term(dl, "Last error", `${a.last_error.text} (${age_words(a.last_error.age)} ago)`);
    return dl;
  };

  const throttle_items = (a) => a.throttles.map((t) => {
    const full = `${t.running} of ${count(t.width)} in use, ${count(t.waiting)} waiting`;
    const meter = element("meter", {min: 0, max: t.width, value: t.running, high: t.width * 0.9, optimum: 0, "aria-label": full});
    return item(element("span", {}, t.name), full, meter);
  });

  const detail_parts = (a) => {
    const close = element("button", {id: "close", "aria-label": "Close"}, "✕");
    close.onclick = () => select("");
    const rest = a.queued > a.queue.length ? [item("", `and ${count(a.queued - a.queue.length)} more`)] : [];
    return [
      element("header", {}, element("h1", {}, kind_words(a.kind), a.name ? element("div", {class: "mono faint"}, a.name) : undefined), close),
      a.stuck ? element("p", {class: "why"}, a.stuck) : undefined,
      terms_of(a),
      ...section("Calls in flight", a.calls.map((c) => item(when(c, age_words(c.age)), `${c.method} at ${c.service}`,
        c.guest && c.guest !== a.guest ? element("div", {class: "mono faint"}, c.guest) : undefined, c.job ? element("div", {}, job_link(c.job)) : undefined))),
      ...section("Places", throttle_items(a)),
      ...section(`Queue (${count(a.queued)})`, [...a.queue.map((w) => item(w.what, w.job ? job_link(w.job) : "")), ...rest]),
      ...section("What happened", a.history.map((e) => item(when(e, `${age_words(e.age)} ago`), e.text, e.job ? element("div", {}, job_link(e.job)) : undefined))),
    ].filter((part) => part !== undefined);
  };

  const show_detail = (a) => {
    detail.hidden = false;
    const had_focus = document.activeElement && document.activeElement.id === "close";
    const scrolled = detail.scrollTop;
    detail.replaceChildren(...detail_parts(a));
    detail.scrollTop = scrolled;
    if (had_focus) $("close").focus();
  };

  const show_gone = (why) => {
    const close = element("button", {id: "close", "aria-label": "Close"}, "✕");
    close.onclick = () => select("");
    detail.hidden = false;
    detail.replaceChildren(element("header", {}, element("h1", {}, state.selected), close), element("p", {class: "why"}, why));
  };

  const select = (id, push = true) => {
    state.selected = id;
    if (push) history.pushState(null, "", (id ? path_of(id) : root) + location.search);
    if (!id) {
      detail.hidden = true;
      detail.replaceChildren();
      list.focus({preventScroll: true});
    }
    draw();
    if (id) look_at_one().catch(() => {});
  };

  // -- asking the agent ----------------------------------------------------------------------------------------------

  const ask = async (path) => {
    const options = () => ({headers: {Accept: "application/json"}, signal: AbortSignal.timeout(10000)});
    const answer = await fetchAs(path, options);
    const told = await answer.json();
    if (!answer.ok) throw Object.assign(new Error(told.message), {status: answer.status});
    return told;
  };

  const query = () => {
    const q = new URLSearchParams();
    const wide = state.view === "all" || state.search !== "";
    q.set("idle", wide);
    q.set("limit", wide ? many : few);
    if (state.view === "stuck") q.set("stuck", true);
    if (state.search) q.set("search", state.search);
    if (state.kind) q.set("kind", state.kind);
    const patience = new URLSearchParams(location.search).get("patience");
    if (patience) q.set("patience", patience);
    return q;
  };

  let asked = 0; // only what was asked for last is shown
  const look = async () => {
    const number = ++asked;
    const told = await ask(`${root}?${query()}`);
    if (number !== asked) return;
    state.rows = told.actors;
    state.found = told.found;
    show_totals(told.totals);
    show_list();
  };

  const look_at_one = async () => {
    const id = state.selected;
    if (!id) return;
    try {
      const told = await ask(path_of(id) + location.search);
      if (id === state.selected) show_detail(told);
    } catch (e) {
      if (id === state.selected && e.status === 404) show_gone("It is not there (any more).");
      if (e.status !== 404) throw e;
    }
  };

  const show_live = (is, words) => {
    $("live").dataset.is = is;
    put($("live"), words);
  };

  // What takes long is asked for less often: looking must not be what the agent is busy with.
  let timer = 0;
  const turn = async (looks = [look, look_at_one]) => {
    clearTimeout(timer);
    const begin = performance.now();
    try {
      for (const one of looks) await one();
      if (!state.paused) show_live("live", "live");
    } catch (e) {
      show_live("lost", e.status ? `refused: ${e.message}` : "the agent cannot be reached");
    }
    clearTimeout(timer);
    if (!state.paused && !document.hidden) timer = setTimeout(turn, Math.max(1000, 8 * (performance.now() - begin)));
  };

  // -- what people do ------------------------------------------------------------------------------------------------

  const set_view = (view) => {
    state.view = view;
    for (const tile of document.querySelectorAll("[data-view]")) tile.setAttribute("aria-pressed", tile.dataset.view === view);
    list.scrollTop = 0;
    turn([look]);
  };
  for (const tile of document.querySelectorAll("[data-view]")) tile.onclick = () => set_view(tile.dataset.view);

  // A third click gives the agent's own order back.
  for (const header of document.querySelectorAll("[data-sort]"))
    header.onclick = () => {
      const by = header.dataset.sort, text = by === "id" || by === "doing" || by === "state";
      const first = !text;
      if (state.sort !== by) [state.sort, state.down] = [by, first];
      else if (state.down === first) state.down = !first;
      else state.sort = "";
      list.scrollTop = 0;
      if (state.sort) show_list();
      else turn([look]);
    };

  let typing = 0;
  $("search").oninput = () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      state.search = $("search").value.trim();
      list.scrollTop = 0;
      turn([look]);
    }, 120);
  };
  $("kind").onchange = () => {
    state.kind = $("kind").value;
    list.scrollTop = 0;
    turn([look]);
  };
  $("pause").onclick = () => {
    state.paused = !state.paused;
    $("pause").setAttribute("aria-pressed", state.paused);
    put($("pause"), state.paused ? "Go on" : "Pause");
    if (state.paused) {
      clearTimeout(timer);
      show_live("paused", "paused");
    } else turn();
  };

  body.onclick = (event) => {
    const row = event.target.closest(".row");
    if (!row || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    select(row.actor === state.selected ? "" : row.actor);
  };
  const selected_by_path = () => {
    const rest = location.pathname.slice(root.length + 1).replace(/\/$/, "");
    return rest ? decodeURIComponent(rest) : "";
  };
  window.onpopstate = () => select(selected_by_path(), false);
  document.addEventListener("keydown", (event) => {
    const in_field = event.target.matches("input, select");
    if (event.key === "/" && !in_field) {
      event.preventDefault();
      $("search").focus();
    } else if (event.key === "Escape" && state.selected) select("");
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && !state.paused) turn();
  });
  let drawing = 0;
  const draw_soon = () => {
    drawing ||= requestAnimationFrame(() => {
      drawing = 0;
      draw();
    });
  };
  list.addEventListener("scroll", draw_soon, {passive: true});
  new ResizeObserver(draw_soon).observe(list);

  state.selected = selected_by_path();
  turn();
})();
