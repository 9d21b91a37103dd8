/** Children have a process group of their own, so that a Ctrl-C in the terminal reaches the devnet alone, which then ends them in order. */
export const ownGroup = { detached: process.platform !== 'win32', windowsHide: true }
