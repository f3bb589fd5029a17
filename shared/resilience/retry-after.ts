/** When a server wants to be asked again: `Retry-After` (RFC 9110 section 10.2.3). */
import { LIMITS } from "../limits.ts";

/** Milliseconds from `nowMs`, 0 for a date that has passed, at most `LIMITS.retryAfterMs`; undefined when not told. */
export const retryAfterMs = (headers: Pick<Headers, "get">, nowMs: number): number | undefined => {
  const text = headers.get("retry-after");
  if (text === null) return undefined;
  const waitMs = SECONDS.test(text) ? Number(text) * 1_000 : httpDate(text, nowMs) - nowMs;
  return Number.isNaN(waitMs) ? undefined : Math.max(0, Math.min(waitMs, LIMITS.retryAfterMs));
};

const SECONDS = /^\d+$/;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const TIME = "(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)";
const SHORT_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
const LONG_DAY = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day";

/** The three forms that a recipient must understand (RFC 9110 section 5.6.7): today's, RFC 850's, and asctime's. */
const HTTP_DATES = [
  `${SHORT_DAY}, (?<day>\\d\\d) (?<month>[A-Z][a-z]{2}) (?<year>\\d{4}) ${TIME} GMT`,
  `${LONG_DAY}, (?<day>\\d\\d)-(?<month>[A-Z][a-z]{2})-(?<year>\\d\\d) ${TIME} GMT`,
  `${SHORT_DAY} (?<month>[A-Z][a-z]{2}) (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})`,
].map((form) => new RegExp(`^${form}$`));

/** Milliseconds since the epoch, or NaN. */
const httpDate = (text: string, nowMs: number): number => {
  for (const form of HTTP_DATES) {
    const parts = form.exec(text)?.groups;
    if (!parts) continue;
    const [day, hour, minute, second] = [parts.day, parts.hour, parts.minute, parts.second].map(Number);
    const month = MONTHS.indexOf(parts.month ?? "");
    if (month < 0 || !within(day, 1, 31) || !within(hour, 0, 23)) return Number.NaN;
    if (!within(minute, 0, 59) || !within(second, 0, 60)) return Number.NaN;
    const date = new Date(0);
    date.setUTCFullYear(fullYear(parts.year ?? "", nowMs), month, day);
    if (date.getUTCMonth() !== month) return Number.NaN;
    return date.setUTCHours(hour, minute, second);
  }
  return Number.NaN;
};

const within = (value: number | undefined, least: number, most: number): value is number =>
  value !== undefined && value >= least && value <= most;

/** Two digits that seem more than 50 years ahead mean the last year that ended in them. */
const fullYear = (digits: string, nowMs: number): number => {
  if (digits.length === 4) return Number(digits);
  const thisYear = new Date(nowMs).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + Number(digits);
  return year > thisYear + 50 ? year - 100 : year;
};
