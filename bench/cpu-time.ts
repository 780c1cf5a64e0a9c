// CPU time of this thread: what a piece of work took, without what others on the machine took meanwhile.

/** Microseconds of this thread since it began, in the kernel and out of it. */
export function threadMicroseconds(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

/** Microseconds of this thread for `work`. */
export function microsecondsOf(work: () => void): number {
  const before = threadMicroseconds();
  work();
  return threadMicroseconds() - before;
}
