/** Dates as HTTP writes them (RFC 9110 section 5.6.7). */

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const TIME = "(?<hour>[01]\\d|2[0-3]):(?<minute>[0-5]\\d):(?<second>[0-5]\\d|60)";
const SHORT_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
const LONG_DAY = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day";
const MONTH = `(?<month>${MONTHS.join("|")})`;

/** Today's form, RFC 850's, and asctime's: a recipient must understand all three. */
const FORMS = [
  `${SHORT_DAY}, (?<day>\\d\\d) ${MONTH} (?<year>\\d{4}) ${TIME} GMT`,
  `${LONG_DAY}, (?<day>\\d\\d)-${MONTH}-(?<year>\\d\\d) ${TIME} GMT`,
  `${SHORT_DAY} ${MONTH} (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})`,
].map((form) => new RegExp(`^${form}$`));

/** Milliseconds since the epoch; undefined for what is absent or no such date. */
export const parseHttpDate = (text: string | null, nowMs: number): number | undefined => {
  if (text === null) return undefined;
  for (const form of FORMS) {
    const parts = form.exec(text)?.groups;
    if (!parts) continue;
    const month = MONTHS.indexOf(parts.month ?? "");
    const date = new Date(0);
    date.setUTCFullYear(fullYear(parts.year ?? "", nowMs), month, Number(parts.day));
    if (date.getUTCMonth() !== month || Number(parts.day) === 0) return undefined;
    return date.setUTCHours(Number(parts.hour), Number(parts.minute), Number(parts.second));
  }
  return undefined;
};

/** @param ms since the epoch */
export const httpDate = (ms: number): string => new Date(ms).toUTCString();

/** Two digits that seem more than 50 years ahead mean the last year that ended in them. */
const fullYear = (digits: string, nowMs: number): number => {
  if (digits.length === 4) return Number(digits);
  const thisYear = new Date(nowMs).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + Number(digits);
  return year > thisYear + 50 ? year - 100 : year;
};
