/** The table of studies: heads that sort, rows that can be chosen, and what can be done with the chosen. */
import { Skeleton, VisuallyHidden } from "@mantine/core";
import { IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import { useRouter } from "@tanstack/react-router";
import { useCallback, useEffect, useRef, useState, type MouseEvent } from "react";
import { useMayChange } from "../../api/accounts";
import type { StudySummary } from "../../api/types";
import { ChosenStudies } from "./ChosenStudies";
import { nextOrder } from "./list";
import type { Column, Order } from "./search";
import { StudyRow } from "./StudyRow";
import classes from "./StudyTable.module.css";
import { useGrowing } from "./useGrowing";

const HEADS: [Column, string][] = [
  ["state", "State"],
  ["name", "Name"],
  ["verdict", "Verdict"],
  ["model", "Model"],
  ["data", "Data set"],
  ["person", "Person"],
  ["runs", "Runs"],
  ["last", "Changed"],
];

interface StudyTableProps {
  /** Undefined while they are on their way. */
  studies: StudySummary[] | undefined;
  marked: number;
  order: Order | undefined;
  onOrder: (order: Order | undefined) => void;
}

export function StudyTable({ studies, marked, order, onOrder }: StudyTableProps) {
  const mayChange = useMayChange();
  const people = studies?.some((study) => study.created_by_name !== null) ?? false;
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const last = useRef<string | null>(null);
  const listed = useRef(studies);
  useEffect(() => {
    listed.current = studies;
  }, [studies]);
  const rows = useGrowing(studies?.length ?? 0, order);
  const minute = useMinute();
  const { folder, follow } = useStudyLinks();

  /** With the shift key: all from the one chosen before to this one. */
  const choose = useCallback((id: string, on: boolean, range: boolean) => {
    const ids = listed.current?.map((study) => study.id) ?? [];
    const [from, to] = [range && last.current ? ids.indexOf(last.current) : -1, ids.indexOf(id)];
    const meant = from < 0 ? [id] : ids.slice(Math.min(from, to), Math.max(from, to) + 1);
    last.current = id;
    setChosen((old) => {
      const next = new Set(old);
      for (const one of meant) if (on) next.add(one); else next.delete(one); // prettier-ignore
      return next;
    });
  }, []);

  if (!studies) return <Loading />;
  const those = studies.filter((study) => chosen.has(study.id));
  const all = those.length === studies.length;
  return (
    <>
      {those.length > 0 && <ChosenStudies studies={those} onDone={() => setChosen(new Set())} />}
      <div
        className={classes.table}
        role="table"
        aria-label="List of studies"
        aria-rowcount={studies.length + 1}
        data-people={people || undefined}
        data-choose={mayChange || undefined}
        onClick={follow}
      >
        <div role="row" className={classes.heads}>
          {mayChange && (
            <span role="columnheader" className={classes.box}>
              <input
                type="checkbox"
                aria-label="Choose all studies of this list"
                checked={all}
                ref={(box) => {
                  if (box) box.indeterminate = those.length > 0 && !all;
                }}
                onChange={() => setChosen(new Set(all ? [] : studies.map((study) => study.id)))}
              />
            </span>
          )}
          {HEADS.filter(([column]) => people || column !== "person").map(([column, title]) => (
            <Head key={column} column={column} title={title} order={order} onOrder={onOrder} />
          ))}
          <span role="columnheader">
            <VisuallyHidden>Actions</VisuallyHidden>
          </span>
        </div>
        {studies.slice(0, rows).map((study, at) => (
          <StudyRow
            key={study.id}
            study={study}
            marked={at === marked}
            chosen={chosen.has(study.id)}
            onChoose={mayChange ? choose : undefined}
            people={people}
            folder={folder}
            minute={minute}
          />
        ))}
      </div>
    </>
  );
}

interface HeadProps {
  column: Column;
  title: string;
  order: Order | undefined;
  onOrder: (order: Order | undefined) => void;
}

function Head({ column, title, order, onOrder }: HeadProps) {
  const up = order === column;
  const down = order === `-${column}`;
  return (
    <span role="columnheader" aria-sort={up ? "ascending" : down ? "descending" : "none"} data-column={column}>
      <button type="button" className={classes.head} onClick={() => onOrder(nextOrder(order, column))}>
        {title}
        {up && <IconArrowUp size={12} aria-hidden="true" />}
        {down && <IconArrowDown size={12} aria-hidden="true" />}
      </button>
    </span>
  );
}

function Loading() {
  return (
    <div className={classes.table} aria-hidden="true">
      {Array.from({ length: 12 }, (_, row) => (
        <Skeleton key={row} height={32} my={6} mx={12} radius="sm" w="auto" />
      ))}
    </div>
  );
}

/** Changes once a minute, so that "3 min. ago" stays true in rows that nothing else changes. */
function useMinute(): number {
  const [minute, setMinute] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setMinute((n) => n + 1), 60_000);
    return () => clearInterval(timer);
  }, []);
  return minute;
}

/** The address that studies lie under, and what a click on a row's link does: the page changes without being loaded. */
function useStudyLinks() {
  const router = useRouter();
  const { href } = router.buildLocation({ to: "/studies/$studyId", params: { studyId: "_" } });
  const folder = href.slice(0, -1);
  const follow = (event: MouseEvent<HTMLElement>) => {
    const link = event.target instanceof Element ? event.target.closest<HTMLAnchorElement>("a[href]") : null;
    const address = link?.getAttribute("href");
    const plain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
    if (!address?.startsWith(folder) || !plain || event.defaultPrevented) return;
    event.preventDefault();
    void router.navigate({ to: "/studies/$studyId", params: { studyId: address.slice(folder.length) } });
  };
  return { folder, follow };
}
