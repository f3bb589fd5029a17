/** Numbers and times as the pages write them. */

/** "0", "340 µs", "12.3 ms", "1.25 s", "2 m 05 s" */
export const duration = (us: number): string => {
  if (us <= 0) return "0 ms";
  if (us < 1_000) return `${us} µs`;
  if (us < 1_000_000) return `${trimmed(us / 1_000, us < 100_000 ? 1 : 0)} ms`;
  if (us < 60_000_000) return `${trimmed(us / 1_000_000, 2)} s`;
  const seconds = Math.round(us / 1_000_000);
  return `${Math.floor(seconds / 60)} m ${String(seconds % 60).padStart(2, "0")} s`;
};

const trimmed = (value: number, digits: number): string => String(Number(value.toFixed(digits)));

/** "14:03:59.120", in UTC */
export const timeOfDay = (us: number): string => new Date(us / 1_000).toISOString().slice(11, 23);

/** "2026-11-22 14:03:59.120 UTC" */
export const dateAndTime = (us: number): string => `${isoTime(us).slice(0, 23).replace("T", " ")} UTC`;

export const isoTime = (us: number): string => new Date(us / 1_000).toISOString();

/** "1 span", "2 spans" */
export const counted = (count: number, noun: string, plural = `${noun}s`): string =>
  `${count.toLocaleString("en")} ${count === 1 ? noun : plural}`;

/** "1,204", "0.352", "0.0000021": what is measured to three digits, what is counted to the last. */
export const measured = (value: number): string =>
  Number.isInteger(value)
    ? value.toLocaleString("en")
    : value.toLocaleString("en", { maximumSignificantDigits: 3 });
