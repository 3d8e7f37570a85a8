/** Sending a file in pieces, with progress; after a break it goes on where the server stopped hearing it. */
import { beginUpload, forgetUpload, readUpload } from "../../api/datasets";
import { ApiProblem } from "../../api/problem";
import type { UploadOut } from "../../api/types";
import { at } from "../../api/root";

const PIECE = 16 * 1024 * 1024;
const PATIENCE = 6; // breaks in a row

export interface Sending {
  onProgress: (sent: number) => void;
  signal: AbortSignal;
}

/** Sends a file and returns its upload; given up, it leaves nothing on the server. */
export async function sendFile(file: File, sending: Sending): Promise<UploadOut> {
  if (file.size === 0) throw new Error("The file is empty.");
  let upload = await beginUpload(file.name, file.size);
  try {
    for (let breaks = 0; !upload.complete;) {
      try {
        upload = await put(upload, file.slice(upload.received, upload.received + PIECE), sending);
        breaks = 0;
      } catch (error) {
        if (!isBreak(error) || breaks === PATIENCE) throw error;
        await pause(500 * 2 ** breaks, sending.signal);
        breaks += 1;
        upload = await received(upload);
      }
    }
    return upload;
  } catch (error) {
    void forgetUpload(upload.id).catch(() => undefined);
    throw error;
  }
}

function isBreak(error: unknown): boolean {
  return error instanceof TypeError || (error instanceof ApiProblem && [408, 409, 503].includes(error.status));
}

async function received(upload: UploadOut): Promise<UploadOut> {
  try {
    return await readUpload(upload.id);
  } catch (error) {
    if (error instanceof TypeError) return upload; // the next try will tell
    throw error;
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("given up", "AbortError"));
    });
  });
}

/** One piece; XMLHttpRequest, because fetch tells nothing of how much was sent. */
function put(upload: UploadOut, piece: Blob, { onProgress, signal }: Sending): Promise<UploadOut> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new DOMException("given up", "AbortError"));
    const request = new XMLHttpRequest();
    request.open("PUT", at(`/api/v1/uploads/${upload.id}/content?offset=${upload.received}`));
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.responseType = "json";
    request.upload.onprogress = ({ loaded }) => onProgress(upload.received + loaded);
    request.onload = () => {
      const body = (request.response ?? {}) as never;
      if (request.status < 300) resolve(body);
      else reject(new ApiProblem(request.status, body));
    };
    request.onerror = () => reject(new TypeError("the connection broke"));
    request.onabort = () => reject(new DOMException("given up", "AbortError"));
    signal.addEventListener("abort", () => request.abort());
    request.send(piece);
  });
}
