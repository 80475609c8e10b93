// A value that is known is not waited for: a small request would go through the queue of promises a dozen times, and each time costs as much as a look-up.

export type Soon<T> = T | Promise<T>;

/** What `work` comes to; what it throws or rejects with goes to `failed`. */
export function caught<T>(work: () => Soon<T>, failed: (error: unknown) => Soon<T>): Soon<T> {
  try {
    const value = work();
    return value instanceof Promise ? value.catch(failed) : value;
  } catch (error) {
    return failed(error);
  }
}

/** Goes on with a value: at once, or when it is there. */
export function soon<T, U>(value: Soon<T>, next: (value: T) => Soon<U>): Soon<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
