/** Keeps the list fresh: fetches the same page every two seconds and changes only the rows that differ. */

/** Rows keep their identity, so focus, selection and scroll position stay; it rests while the page is not looked at. */
export const LIST_SCRIPT = `
const button = document.getElementById("live");
const form = document.getElementById("filter");
let isLive = !new URLSearchParams(location.search).has("cursor");

const show = (state, text) => {
  button.dataset.state = state;
  button.setAttribute("aria-pressed", String(isLive));
  button.querySelector("span").textContent = text;
};

const replaceRows = (next) => {
  const body = document.getElementById("traces");
  const known = new Map([...body.children].map((row) => [row.id, row]));
  const rows = [...next.children].map((row) => {
    const old = known.get(row.id);
    if (old && old.outerHTML.replace(' data-new=""', "") === row.outerHTML) return old;
    if (!old && row.id) row.dataset.new = "";
    return document.adoptNode(row);
  });
  const keep = new Set(rows);
  const focused = document.activeElement?.closest("tr")?.id;
  for (const row of [...body.children]) if (!keep.has(row)) row.remove();
  rows.forEach((row, index) => {
    if (body.children[index] !== row) body.insertBefore(row, body.children[index] ?? null);
  });
  if (focused && !document.activeElement?.closest("tr")) document.getElementById(focused)?.querySelector("a")?.focus();
};

const replaceText = (page, id) => {
  const old = document.getElementById(id), next = page.getElementById(id);
  if (old.innerHTML !== next.innerHTML) old.replaceChildren(...next.childNodes);
};

const replaceServices = (page) => {
  const select = form.elements.service, next = page.querySelector("select[name=service]");
  if (select.options.length === next.options.length || document.activeElement === select) return;
  const chosen = select.value;
  select.replaceChildren(...next.children);
  select.value = chosen;
};

const refresh = async () => {
  if (!isLive || document.hidden) return;
  try {
    const response = await fetch(location.href, { headers: { accept: "text/html" }, signal: AbortSignal.timeout(5000) });
    if (!response.ok) throw new Error(String(response.status));
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    replaceRows(page.getElementById("traces"));
    replaceText(page, "count");
    replaceText(page, "pages");
    replaceServices(page);
    show("on", "live");
  } catch {
    show("lost", "no answer, trying again");
  }
};

const loop = async () => {
  await refresh();
  setTimeout(loop, 2000);
};

button.hidden = false;
show(isLive ? "on" : "off", isLive ? "live" : "paused");
button.addEventListener("click", () => {
  isLive = !isLive;
  show(isLive ? "on" : "off", isLive ? "live" : "paused");
  refresh();
});
document.addEventListener("visibilitychange", refresh);
form.elements.service.addEventListener("change", () => form.requestSubmit());
form.elements.error.addEventListener("change", () => form.requestSubmit());
document.addEventListener("keydown", (event) => {
  const typing = event.target.matches?.("input, select");
  if (event.key === "/" && !typing) {
    event.preventDefault();
    form.elements.q.select();
  }
  const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
  if (!step || typing || event.metaKey || event.ctrlKey || event.altKey) return;
  const links = [...document.querySelectorAll("#traces a")];
  const at = links.indexOf(document.activeElement);
  const next = links[at < 0 ? 0 : at + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
});
setTimeout(loop, 2000);
`;
