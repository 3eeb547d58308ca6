// A bearer token, where the agent asks for one. It is kept in this variable only, never in the address, a cookie or a storage:
// it is gone with the page.
let token = "";
let asking; // the dialog that is open, as a promise

// Asks the reader for a token. `why` is the agent's own message.
function askForToken(why) {
  asking ??= new Promise((resolve) => {
    const field = element("input", { type: "password", id: "token", autocomplete: "off", spellcheck: "false" });
    const dialog = element(
      "dialog",
      { id: "token-dialog", "aria-labelledby": "token-title" },
      element(
        "form",
        {
          submit(event) {
            event.preventDefault();
            token = field.value.trim();
            dialog.close();
          },
        },
        element("h2", { id: "token-title" }, "Who are you?"),
        element("p", { class: "why" }, why),
        element("label", { for: "token" }, "Token of the agent"),
        field,
        element("p", { class: "quiet" }, "It is kept until you leave or reload this page."),
        element("button", {}, "Go on"),
      ),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      asking = undefined;
      resolve(token !== "");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
  return asking;
}

const withToken = (options) =>
  token ? { ...options, headers: { ...options.headers, Authorization: `Bearer ${token}` } } : options;

// As fetch, with the token if there is one. If the agent wants an identity, or one with more rights, asks for a token and
// tries again, until the reader gives none. `options` makes the options anew for each try.
async function fetchAs(path, options = () => ({})) {
  for (;;) {
    const used = token;
    const answer = await fetch(path, withToken(options()));
    if (answer.status !== 401 && answer.status !== 403) return answer;
    const why = (await answer.clone().json().catch(() => ({}))).message ?? "";
    if (answer.status === 403 && !why.startsWith("not allowed")) return answer;
    if (used === token) token = "";
    if (!token && !(await askForToken(why))) return answer;
  }
}
