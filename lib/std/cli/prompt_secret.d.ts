/** How {@linkcode promptSecret} shows what is typed. */
export type PromptSecretOptions = {
  /** Shown in place of each character; `*` unless told, nothing when empty. */
  mask?: string;
  /** Whether the line is cleared afterwards. */
  clear?: boolean;
};

/** Asks on the terminal without showing the answer; `null` when there is no terminal. */
export function promptSecret(message?: string, options?: PromptSecretOptions): string | null;
