/** What `pull` is doing. Bytes count from the start of the file, what an earlier attempt left included. */
export type PullProgress =
  /** Another process is downloading the same file. */
  | { readonly kind: 'waiting'; readonly name: string }
  /** Bytes on the disk are hashed: of a part to go on with, or of a file that was not checked before. */
  | { readonly kind: 'checking'; readonly name: string; readonly done: number; readonly total: number }
  | {
      readonly kind: 'downloading';
      readonly name: string;
      readonly received: number;
      /** Absent where the server does not say. */
      readonly total?: number;
      readonly bytesPerSecond: number;
      readonly secondsLeft?: number;
    }
  /** The connection broke; the download goes on after a moment. */
  | { readonly kind: 'retrying'; readonly name: string; readonly reason: string; readonly received: number }
  /** The server does not go on where the part ends: from the first byte again. */
  | { readonly kind: 'restarting'; readonly name: string; readonly dropped: number }
  /** A download is complete and its checksum is the card's. */
  | { readonly kind: 'done'; readonly name: string; readonly path: string; readonly bytes: number };

/** A step of a download, before it is known whose. */
export type DownloadProgress = WithoutName<
  Extract<PullProgress, { kind: 'checking' | 'downloading' | 'retrying' | 'restarting' }>
>;

type WithoutName<T> = T extends unknown ? Omit<T, 'name'> : never;
