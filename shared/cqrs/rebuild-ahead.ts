/** Asks for the next batch while the last one is being written: a rebuild then takes the longer of both times, not their sum. */

/** @param open what is asked, until its signal aborts: it does at the end, however that comes */
export async function* readAhead<T>(
  open: (signal: AbortSignal) => AsyncIterable<T>,
  outer: AbortSignal,
): AsyncGenerator<T> {
  const end = new AbortController();
  const batches = open(AbortSignal.any([outer, end.signal]))[Symbol.asyncIterator]();
  let next = batches.next();
  try {
    for (;;) {
      const { done, value } = await next;
      if (done) return;
      next = batches.next();
      // It is awaited in the next round, or not at all.
      next.catch(() => undefined);
      yield value;
    }
  } finally {
    end.abort();
    await batches.return?.();
  }
}
