// A value that is known is not waited for: a small request would go through the queue of promises a dozen times, and each time costs as much as a look-up.

export type Soon<T> = T | Promise<T>;

/** Goes on with a value: at once, or when it is there. */
export function soon<T, U>(value: Soon<T>, next: (value: T) => Soon<U>): Soon<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
