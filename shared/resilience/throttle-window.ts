/** The calls that a throttle reckons with, each in the bucket in which it began. Moves when it is looked at. */

export interface ThrottleWindow {
  /** As of the last look. Requests: calls with an answer, refused ones, and those that have had none for too long. */
  readonly sums: { requests: number; accepts: number };
  /** @param now milliseconds that never go back */
  look(now: number): void;
  /** The number of the bucket of a call that begins now. */
  start(): number;
  /** A call that was refused here counts as one that was not accepted. */
  refuse(): void;
  /** Of a call that is older than the window nothing is counted. */
  end(bucket: number, outcome: "accepted" | "rejected" | "ignored"): void;
  /** The number of the bucket that is being filled. */
  newest(): number;
}

const BUCKETS = 20;

/** @param options.after a window that this one takes the place of: calls that began there are not taken for those here */
export const throttleWindow = ({
  windowMs,
  patienceMs,
  after,
}: {
  windowMs: number;
  patienceMs: number;
  after?: ThrottleWindow;
}): ThrottleWindow => {
  const bucketMs = windowMs / BUCKETS;
  /** Buckets after which a call without an answer counts. At least its own has to be full: it may have begun at its end. */
  const patience = Math.ceil(patienceMs / bucketMs);
  const pending = new Int32Array(BUCKETS);
  const requests = new Int32Array(BUCKETS);
  const accepts = new Int32Array(BUCKETS);
  const sums = { requests: 0, accepts: 0 };
  const ends = new Float64Array(1).fill(Number.NEGATIVE_INFINITY);
  const oldest = after === undefined ? 0 : after.newest() + 1;
  let newest = oldest;
  let origin = Number.NaN;

  const indexOf = (bucket: number): number => bucket % BUCKETS;
  const isYoung = (bucket: number): boolean => newest - bucket <= patience;

  const moveByOne = (): void => {
    newest += 1;
    const index = indexOf(newest);
    sums.requests -= (requests[index] as number) + (pending[index] as number);
    sums.accepts -= accepts[index] as number;
    pending[index] = requests[index] = accepts[index] = 0;
    const grownOld = newest - patience - 1;
    if (grownOld >= oldest) sums.requests += pending[indexOf(grownOld)] as number;
  };

  return {
    sums,
    newest: () => newest,
    look(now) {
      if (now < (ends[0] as number)) return;
      if (Number.isNaN(origin)) origin = now;
      const target = oldest + Math.floor((now - origin) / bucketMs);
      ends[0] = origin + (target - oldest + 1) * bucketMs;
      for (let step = Math.min(target - newest, BUCKETS); step > 0; step--) moveByOne();
      newest = target;
    },
    start() {
      (pending[indexOf(newest)] as number) += 1;
      return newest;
    },
    refuse() {
      (requests[indexOf(newest)] as number) += 1;
      sums.requests += 1;
    },
    end(bucket, outcome) {
      const index = indexOf(bucket);
      if (bucket <= newest - BUCKETS || pending[index] === 0) return;
      (pending[index] as number) -= 1;
      if (!isYoung(bucket)) sums.requests -= 1;
      if (outcome === "ignored") return;
      (requests[index] as number) += 1;
      sums.requests += 1;
      if (outcome !== "accepted") return;
      (accepts[index] as number) += 1;
      sums.accepts += 1;
    },
  };
};
