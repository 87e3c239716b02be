/** Names that end in what a secret is called: `HF_TOKEN`, `dbPassword`, `PGPASSWORD`. `MAX_TOKENS` and `TOKEN_FILE` do not. */
const secretName =
  /(?:token|secret|password|passwd|passphrase|credentials?|[_-]pwd|api[_-]?key|(?:access|secret|private|auth|encryption|signing)[_-]?key)$/i;

/** True for the name of a variable, parameter or option whose value is a secret, by its look. */
export function isSecretName(name: string): boolean {
  return secretName.test(name);
}

/** A path, or a reference that the shell resolves: the place of a secret, not the secret. */
const elsewhere = /^(?:[~.]{0,2}\/[\w.~/ -]*|\$.*|"\$[^"]*"|)$/;

/** True if a value under that name seems to be a secret. Numbers and booleans are none. */
export function looksSecret(name: string, value: unknown): boolean {
  return typeof value === 'string' && isSecretName(name) && !elsewhere.test(value);
}
