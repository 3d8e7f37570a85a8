/** What a menu offers for an archived study: to take it back, or to delete it for good. */
import { Menu } from "@mantine/core";
import { IconArrowBackUp, IconTrash } from "@tabler/icons-react";

interface ArchivedItemsProps {
  onRestore: () => void;
  onDelete: () => void;
}

export function ArchivedItems({ onRestore, onDelete }: ArchivedItemsProps) {
  return (
    <>
      <Menu.Item leftSection={<IconArrowBackUp size={15} />} onClick={onRestore}>
        Restore
      </Menu.Item>
      <Menu.Item color="red" leftSection={<IconTrash size={15} />} onClick={onDelete}>
        Delete for good
      </Menu.Item>
    </>
  );
}
