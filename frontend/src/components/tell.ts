/** Short notes in the corner of the page. */
import { notifications } from "@mantine/notifications";
import { sentence } from "../api/problem";

export function tellError(error: unknown): void {
  notifications.show({ color: "red", title: "That did not work", message: sentence(error), autoClose: 8000 });
}

export function tell(message: string): void {
  notifications.show({ message });
}
