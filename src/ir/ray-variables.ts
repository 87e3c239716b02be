/** Variables by which an application finds the Ray cluster that it uses. */
export const rayVariables = ['RAY_ADDRESS', 'RAY_AUTH_MODE', 'RAY_AUTH_TOKEN_PATH'];
