/** Mantine's buttons, menu items and anchors as links of the router, with its typed addresses. */
import { Anchor, Button, Menu, type AnchorProps, type ButtonProps, type MenuItemProps } from "@mantine/core";
import { createLink } from "@tanstack/react-router";
import type { AnchorHTMLAttributes, Ref } from "react";

type LinkAttributes = Omit<AnchorHTMLAttributes<HTMLAnchorElement>, "style" | "color"> & {
  ref?: Ref<HTMLAnchorElement>;
};

export const AnchorLink = createLink((props: AnchorProps & LinkAttributes) => <Anchor {...props} />);

export const ButtonLink = createLink((props: ButtonProps & LinkAttributes) => <Button component="a" {...props} />);

export const MenuItemLink = createLink((props: MenuItemProps & LinkAttributes) => (
  <Menu.Item component="a" {...props} />
));
