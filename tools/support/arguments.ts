import { InvalidArgumentError } from 'commander';

/** Parses an argument that must be one of the allowed values. */
export function oneOf<T extends string>(allowed: readonly T[]): (value: string) => T {
  return (value) => {
    const found = allowed.find((one) => one === value);
    if (found === undefined) throw new InvalidArgumentError(`Allowed: ${allowed.join(', ')}.`);
    return found;
  };
}

/** Parses a whole number within a range. */
export function wholeNumber(from: number, to: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < from || number > to) {
      throw new InvalidArgumentError(`Allowed: a whole number from ${from} to ${to}.`);
    }
    return number;
  };
}

/** Parses a decimal number within a range. */
export function number(from: number, to = Number.POSITIVE_INFINITY): (value: string) => number {
  return (value) => {
    const parsed = Number(value);
    if (value.trim() === '' || !Number.isFinite(parsed) || parsed < from || parsed > to) {
      throw new InvalidArgumentError(`Allowed: a number from ${from}${Number.isFinite(to) ? ` to ${to}` : ''}.`);
    }
    return parsed;
  };
}
