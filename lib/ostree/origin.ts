/** A deployment's origin file: where its content comes from. Shared with ostree and rpm-ostree, so what we do not know stays as it is. */
import { Keyfile } from "../codec/keyfile.ts";

const GROUP = "origin";
/** ostree-ext's key, since 2021. */
const IMAGE_KEY = "container-image-reference";
/** The keys of a system that follows a plain ostree ref instead (libostree, rpm-ostree). */
const REFSPEC_KEYS = ["refspec", "baserefspec"] as const;
/** OSTREE_ORIGIN_TRANSIENT_GROUP (ostree-deployment.h): what holds for one deployment only, such as its pin. */
const TRANSIENT_GROUP = "libostree-transient";
/** rpm-ostree's client-side changes (rust/src/origin.rs): any of them, and only rpm-ostree may build the next deployment. */
const LAYERING_GROUPS = ["rpmostree", "packages", "overrides", "modules"] as const;

/** The content of an origin file; comments, order and foreign keys are kept. */
export class Origin {
  readonly #file: Keyfile;

  private constructor(file: Keyfile) {
    this.#file = file;
  }

  /** @throws {SyntaxError} when the text is no key file */
  static parse(text: string): Origin {
    return new Origin(Keyfile.parse(text));
  }

  /** The origin of a system that follows an image. */
  static forImage(reference: string): Origin {
    const origin = Origin.parse("");
    origin.imageReference = reference;
    return origin;
  }

  /** The image that is followed, as `ostree-unverified-registry:...` and the like; undefined for a plain ostree system. */
  get imageReference(): string | undefined {
    return this.#file.get(GROUP, IMAGE_KEY);
  }

  /** Following an image ends following a plain ref: the two exclude each other. */
  set imageReference(reference: string) {
    for (const key of REFSPEC_KEYS) this.#file.remove(GROUP, key);
    this.#file.set(GROUP, IMAGE_KEY, reference);
  }

  /** The ref of a plain ostree system. */
  get refspec(): string | undefined {
    for (const key of REFSPEC_KEYS) {
      const value = this.#file.get(GROUP, key);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  /** Packages were layered, or something else was changed that only rpm-ostree can carry to the next deployment. */
  get incompatible(): boolean {
    return LAYERING_GROUPS.some((group) => this.#file.has(group));
  }

  /** A value by group and key, as it stands in the file. */
  get(group: string, key: string): string | undefined {
    return this.#file.get(group, key);
  }

  /** A copy for a new deployment: without what held for the old one only (its pin). */
  copyForDeployment(): Origin {
    const copy = Origin.parse(this.toString());
    copy.#file.remove(TRANSIENT_GROUP);
    return copy;
  }

  /** The file's text. */
  toString(): string {
    return this.#file.toString();
  }
}
