/** Reads a command line from left to right and refuses what is wrong with its form: the strict half of the parser. */
import { UsageError } from "./errors.ts";
import { type CommandSpec, type FlagSpec, optionName, takesValue } from "./spec.ts";
import { didYouMean } from "./suggest.ts";

/** One option that was given. */
export interface GivenOption {
  /** As it was typed, without its value: `--tag` or `-t`. */
  readonly typed: string;
  /** One value each time it was given; none of a switch. */
  readonly values: string[];
}

/** A command line taken apart: all options are known, have the value they need and are repeated only where they may be. */
export interface Tokens {
  /** `--help` or `-h` stood where an option may stand, so that nothing else matters. */
  readonly help: boolean;
  /** By key of the spec, in the order in which they were first given. */
  readonly options: ReadonlyMap<string, GivenOption>;
  /** Everything that is no option. */
  readonly rest: readonly string[];
}

/** @throws {UsageError} on an unknown option, a missing or superfluous value, a single option that is repeated */
export function tokenize(spec: CommandSpec, argv: readonly string[]): Tokens {
  return new Tokenizer(spec, argv).run();
}

class Tokenizer {
  readonly #byName = new Map<string, { key: string; flag: FlagSpec }>();
  readonly #options = new Map<string, GivenOption>();
  readonly #rest: string[] = [];
  readonly #spec: CommandSpec;
  readonly #argv: readonly string[];
  #at = 0;
  #help = false;

  constructor(spec: CommandSpec, argv: readonly string[]) {
    this.#spec = spec;
    this.#argv = argv;
    for (const [key, flag] of Object.entries(spec.flags)) {
      for (const name of [optionName(key), ...(flag.aliases ?? [])]) this.#byName.set(`--${name}`, { key, flag });
      if (flag.short !== undefined) this.#byName.set(`-${flag.short}`, { key, flag });
    }
  }

  run(): Tokens {
    while (this.#at < this.#argv.length && !this.#help) {
      const arg = this.#argv[this.#at++]!;
      if (arg === "--") {
        this.#rest.push(...this.#argv.slice(this.#at));
        break;
      }
      if (arg.startsWith("--")) this.#long(arg);
      else if (arg.startsWith("-") && arg !== "-") this.#short(arg);
      else this.#rest.push(arg);
    }
    return { help: this.#help, options: this.#options, rest: this.#rest };
  }

  /** `--check`, `--tag value` and `--tag=value`. */
  #long(arg: string): void {
    const equals = arg.indexOf("=");
    this.#take(equals < 0 ? arg : arg.slice(0, equals), equals < 0 ? undefined : arg.slice(equals + 1));
  }

  /** `-v`, `-qv`, `-tvalue`, `-t=value` and `-t value`. */
  #short(arg: string): void {
    for (let at = 1; at < arg.length && !this.#help; at++) {
      const typed = `-${arg[at]}`;
      const tail = arg.slice(at + 1);
      const flag = this.#byName.get(typed)?.flag;
      const takesTail = tail.startsWith("=") || (flag !== undefined && takesValue(flag) && tail !== "");
      this.#take(typed, takesTail ? tail.replace(/^=/, "") : undefined, arg);
      if (takesTail) return;
    }
  }

  #take(typed: string, attached: string | undefined, arg = typed): void {
    if (typed === "--help" || typed === "-h") {
      if (attached !== undefined) throw takesNone(typed, attached);
      this.#help = true;
      return;
    }
    const found = this.#byName.get(typed);
    if (!found) throw this.#unknown(typed, arg);
    const { key, flag } = found;
    const given = this.#options.get(key);
    if (given && !(takesValue(flag) && flag.repeated)) {
      throw new UsageError(`Option "${typed}" was given more than once`);
    }
    if (!takesValue(flag) && attached !== undefined) throw takesNone(typed, attached);
    const values = takesValue(flag) ? [attached ?? this.#following(typed)] : [];
    if (given) given.values.push(...values);
    else this.#options.set(key, { typed, values });
  }

  /** The argument behind an option, as its value. Another option is none; a lone `-` is. */
  #following(typed: string): string {
    const next = this.#argv[this.#at];
    if (next === undefined) throw new UsageError(`Option "${typed}" needs a value`);
    if (next.startsWith("-") && next !== "-") {
      throw new UsageError(`Option "${typed}" needs a value, but "${next}" looks like an option`, {
        hint: next === "--" ? undefined : `To use it as the value, write "${typed}=${next}"`,
      });
    }
    this.#at++;
    return next;
  }

  #unknown(typed: string, arg: string): UsageError {
    const shown = Object.entries(this.#spec.flags).filter(([, flag]) => !flag.hidden).map(([key]) => optionName(key));
    const nearest = didYouMean((typed === arg ? typed : arg).replace(/^-+/, ""), [...shown, "help"]);
    const escape = this.#spec.positionals.length === 0
      ? undefined
      : `To use "${arg}" as an argument, put "--" before it`;
    return new UsageError(`Unknown option "${typed}"`, {
      hint: nearest !== undefined && arg.length > 2 ? `Did you mean "--${nearest}"?` : escape,
    });
  }
}

function takesNone(typed: string, attached: string): UsageError {
  return new UsageError(`Option "${typed}" takes no value, but got "${attached}"`);
}
