/** Moves between spans by keyboard and opens the one that the address names. */

export const TRACE_SCRIPT = `
const summaries = [...document.querySelectorAll("#spans summary")];

const goTo = (summary) => {
  summary?.focus();
  summary?.scrollIntoView({ block: "nearest" });
};

const openNamed = () => {
  const row = document.getElementById(location.hash.slice(1));
  if (!row) return;
  row.querySelector("details").open = true;
  goTo(row.querySelector("summary"));
};

document.addEventListener("keydown", (event) => {
  if (event.metaKey || event.ctrlKey || event.altKey) return;
  const at = summaries.indexOf(document.activeElement);
  const nextError = () =>
    summaries.slice(at + 1).find((summary) => summary.closest(".failed")) ??
    summaries.find((summary) => summary.closest(".failed"));
  const actions = {
    ArrowDown: () => summaries[at + 1],
    j: () => summaries[at + 1],
    ArrowUp: () => summaries[Math.max(0, at - 1)],
    k: () => summaries[Math.max(0, at - 1)],
    Home: () => summaries[0],
    End: () => summaries.at(-1),
    e: nextError,
    Escape: () => {
      for (const open of document.querySelectorAll("#spans details[open]")) open.open = false;
      return summaries[at];
    },
  };
  if (!Object.hasOwn(actions, event.key)) return;
  const target = actions[event.key]();
  if (!target && event.key !== "Escape") return;
  event.preventDefault();
  goTo(target);
});

addEventListener("hashchange", openNamed);
openNamed();
`;
