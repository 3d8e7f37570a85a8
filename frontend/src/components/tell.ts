/** Short notes in a corner of the page: the one that the pointer is not in, so that they leave by themselves. */
import { notifications } from "@mantine/notifications";
import { sentence } from "../api/problem";

let pointer = { x: 0, y: 0 };

if (typeof window !== "undefined")
  window.addEventListener("pointerdown", ({ clientX, clientY }) => (pointer = { x: clientX, y: clientY }), {
    passive: true,
    capture: true,
  });

/** A corner away from where was last clicked: a note under the pointer stays for as long as the pointer rests. */
export function besidePointer() {
  const low = pointer.y > window.innerHeight / 2;
  if (window.innerWidth < 768) return low ? "top-center" : "bottom-center";
  return low && pointer.x > window.innerWidth / 2 ? "bottom-left" : "bottom-right";
}

export function tellError(error: unknown): void {
  const message = sentence(error);
  notifications.show({ color: "red", title: "That did not work", message, autoClose: 8000, position: besidePointer() });
}

export function tell(message: string): void {
  notifications.show({ message, position: besidePointer() });
}
