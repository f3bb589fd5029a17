/** What an isolate's looks carry of breakers: its reports out, the news of others in. */
import { LIMITS } from "../../limits.ts";
import { type BreakerNews, type BreakerReport, NO_BREAKER_NEWS } from "./breaker-hint.ts";

/** What one look carries. */
export interface SentReports {
  readonly number: number;
  readonly reports: readonly BreakerReport[];
}

export interface BreakerExchange {
  /** Keeps the newest of each instance for the next look, of `LIMITS.lookReportItems` of them. */
  report(report: BreakerReport): void;
  /** Called with the news of each look, as long as there are any, and once when there are none any more. */
  onNews(listener: (news: BreakerNews) => void): void;
  /** What the look that begins now carries. */
  begin(): SentReports;
  /** The look was answered. News that are older than the last ones are not told. */
  succeeded(sent: SentReports, news: BreakerNews | undefined): void;
  /** What it carried goes with the next one, unless there is something newer: a report may be told twice. */
  failed(sent: SentReports): void;
}

export const breakerExchange = (): BreakerExchange => {
  const pending = new Map<string, BreakerReport>();
  const listeners: ((news: BreakerNews) => void)[] = [];
  let begun = 0;
  let heard = 0;
  let standing = false;

  const keep = (report: BreakerReport): void => {
    const key = keyOf(report);
    pending.delete(key);
    pending.set(key, report);
    const [oldest] = pending.keys();
    if (pending.size > LIMITS.lookReportItems && oldest !== undefined) pending.delete(oldest);
  };

  return {
    report(report) {
      if (isTakenByControl(report)) keep(report);
    },
    onNews: (listener) => void listeners.push(listener),
    begin() {
      const reports = [...pending.values()];
      pending.clear();
      begun += 1;
      return { number: begun, reports };
    },
    succeeded({ number }, news = NO_BREAKER_NEWS) {
      if (number < heard) return;
      heard = number;
      const isThere = news.hints.length > 0 || news.asked.length > 0;
      if (isThere || standing) for (const listener of listeners) listener(news);
      standing = isThere;
    },
    failed({ reports }) {
      const newer = [...pending.values()];
      pending.clear();
      for (const report of [...reports, ...newer]) keep(report);
    },
  };
};

/** A look with anything else is refused, and would be refused for ever. */
const isTakenByControl = ({ instance, calls }: BreakerReport): boolean =>
  instance.length > 0 &&
  instance.length <= LIMITS.breakerNameCharacters &&
  calls <= LIMITS.breakerReportedCalls;

const keyOf = ({ service, instance }: BreakerReport): string => `${service}/${instance}`;
