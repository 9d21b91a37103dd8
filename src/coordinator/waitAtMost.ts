/** Resolves once `work` has settled, or after `ms`: the end of a role does not wait for a slow chain. `work` must not reject. */
export async function waitAtMost(work: Promise<void> | null, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  await Promise.race([work, new Promise((resolve) => (timer = setTimeout(resolve, ms)))])
  clearTimeout(timer)
}
