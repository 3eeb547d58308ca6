// The page: reads the description, draws it, and finds things in it.
const at = (id) => document.getElementById(id);
const base = location.origin + location.pathname.replace(/\/docs\/?$/, "");

function draw(api) {
  const { info, tags, components } = api.text;
  at("version").textContent = info.version;
  at("main").append(element("section", { class: "intro" }, prose(info.description)));
  for (const { name, description } of tags) {
    const operations = api.operations.filter((each) => each.tag === name);
    if (operations.length)
      addGroup(
        name,
        description,
        operations.map((each) => [operationCard(each, base), operationLink(each), each.words]),
      );
  }
  const shared = anyRequestCard(api);
  addGroup("Any request", "What any request may have, and may end in.", [
    [shared, element("a", { href: `#${shared.id}` }, "Headers and errors"), shared.textContent.toLowerCase()],
  ]);
  addGroup(
    "Schemas",
    "What bodies are made of. A dot marks what is always there.",
    Object.entries(components.schemas).map(([name, schema]) => [
      schemaCard(api, name, schema),
      element("a", { href: `#schema-${name}` }, name),
      JSON.stringify([name, schema]).toLowerCase(),
    ]),
  );
}

const operationLink = ({ id, method: name, summary }) =>
  element("a", { href: `#${id}` }, method(name), element("span", {}, summary));

const groups = []; // { section, list, entries: [{ card, link, words }] }

function addGroup(name, description, entries) {
  const id = `group-${name.toLowerCase().replaceAll(" ", "-")}`;
  const section = element(
    "section",
    { class: "group", id },
    element("h2", {}, name),
    element("div", { class: "lead" }, prose(description)),
    entries.map(([card]) => card),
  );
  const list = element(
    "section",
    {},
    element("h2", {}, element("a", { href: `#${id}` }, name)),
    element(
      "ul",
      {},
      entries.map(([, link]) => element("li", {}, link)),
    ),
  );
  at("main").append(section);
  at("nav").append(list);
  groups.push({ section, list, entries: entries.map(([card, link, words]) => ({ card, link, words })) });
}

// Shows what has all the words.
function search(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  for (const { section, list, entries } of groups) {
    const hits = entries.filter((entry) => {
      const hit = words.every((word) => entry.words.includes(word));
      entry.card.hidden = entry.link.parentElement.hidden = !hit;
      return hit;
    });
    section.hidden = list.hidden = hits.length === 0;
    found += hits.length;
  }
  document.body.classList.toggle("searching", words.length > 0);
  at("found").textContent = words.length ? `${found} found` : "";
}

// Marks in the menu what is being read.
function followReading() {
  const links = new Map(groups.flatMap(({ entries }) => entries.map(({ card, link }) => [card, link])));
  const seen = new Set();
  const observer = new IntersectionObserver(
    (changes) => {
      for (const { target, isIntersecting } of changes) isIntersecting ? seen.add(target) : seen.delete(target);
      const first = [...links.keys()].find((card) => seen.has(card));
      for (const [card, link] of links) {
        if (card !== first) link.removeAttribute("aria-current");
        else if (link.getAttribute("aria-current") !== "true") {
          link.setAttribute("aria-current", "true");
          if (!at("nav").matches(":hover")) link.scrollIntoView({ block: "nearest" });
        }
      }
    },
    { rootMargin: "-80px 0px -60% 0px" },
  );
  for (const card of links.keys()) observer.observe(card);
}

function toggleMenu(open) {
  document.body.classList.toggle("menu", open);
  at("menu").setAttribute("aria-expanded", document.body.classList.contains("menu"));
}

function listen() {
  at("search").addEventListener("input", ({ target }) => search(target.value));
  at("menu").addEventListener("click", () => toggleMenu());
  at("nav").addEventListener("click", ({ target }) => target.closest("a") && toggleMenu(false));
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== at("search")) {
      event.preventDefault();
      at("search").select();
    } else if (event.key === "Escape") {
      at("search").value = "";
      search("");
      toggleMenu(false);
    }
  });
}

// Shows who the agent takes this page for. The lines for a shell name a variable, so that the token is never on the screen.
async function showIdentity() {
  const answer = await fetch(`${base}/whoami`, withToken({}));
  const who = answer.ok ? await answer.json() : undefined;
  const open = who?.how === "anonymous" && who.role === "admin";
  at("identity").textContent = open ? "" : who?.name ? `${who.name} (${who.role || who.scopes.join(" ")})` : "Who are you?";
  at("identity").hidden = open;
  const header = 'curl -H "Authorization: Bearer $TOKEN" ';
  for (const line of document.querySelectorAll(".curl pre")) {
    const plain = line.textContent.replace(header, "curl ");
    line.textContent = answer.ok && token ? plain.replace("curl ", () => header) : plain;
  }
  if (!answer.ok && token) token = "";
}

async function changeIdentity() {
  token = "";
  await askForToken("With a token, this page shows whose it is, and its lines for a shell send it as $TOKEN.");
  await showIdentity();
}

async function open() {
  at("source").href = `${base}/openapi.json`;
  const answer = await fetch(`${base}/openapi.json`);
  if (!answer.ok) throw new Error(`openapi.json: ${answer.status}`);
  draw(new Api(await answer.json()));
  listen();
  at("identity").addEventListener("click", changeIdentity);
  showIdentity().catch(() => {});
  followReading();
  if (location.hash) at(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

open()
  .catch((error) =>
    at("main").append(element("p", { class: "notice" }, `The description could not be shown: ${error.message}`)),
  )
  .finally(() => at("main").removeAttribute("aria-busy"));
