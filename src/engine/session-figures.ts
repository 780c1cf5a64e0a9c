// Session figures: how many sessions of devices are open, and how those ended that are not, for INFO and /metrics.

export type SessionFigures = {
  open: number;
  begun: number;
  closed: number;
  expired: number;
  evicted: number;
};

export function noSessions(): SessionFigures {
  return { open: 0, begun: 0, closed: 0, expired: 0, evicted: 0 };
}
