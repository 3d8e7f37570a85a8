/** The library's own pictures of positions and structures, as in docs/methods.md. */
import { Button, Modal, SimpleGrid } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconMap2 } from "@tabler/icons-react";
import positions from "../../../../docs/images/positions.svg";
import structures from "../../../../docs/images/structures.svg";
import classes from "./WhereIsWhat.module.css";

export function WhereIsWhat() {
  const [opened, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button size="compact-xs" variant="subtle" leftSection={<IconMap2 size={14} />} onClick={open}>
        Where is what?
      </Button>
      <Modal opened={opened} onClose={close} title="Positions and structures" size="90rem">
        <SimpleGrid cols={{ base: 1, lg: 2 }}>
          <img className={classes.picture} src={positions} alt="Where each position sits in a transformer block" />
          <img
            className={classes.picture}
            src={structures}
            alt="What each structure drops, for attention and for hidden"
          />
        </SimpleGrid>
      </Modal>
    </>
  );
}
