/** One study of the list: its state, what it is, its verdict, how far it is. Plain elements: there may be thousands. */
import { IconDots } from "@tabler/icons-react";
import { memo, useEffect, useRef, useState } from "react";
import type { StudySummary } from "../../api/types";
import { countsInWords } from "../../components/StatusProgress";
import { count } from "../../format/numbers";
import { ago, moment, timeLeft } from "../../format/times";
import { STATE_MEANS, stateOf, VERDICTS, type State } from "./list";
import { StudyMenu } from "./StudyMenu";
import classes from "./StudyTable.module.css";

const TAGS_SHOWN = 2;

interface StudyRowProps {
  study: StudySummary;
  marked: boolean;
  chosen: boolean;
  /** Absent for who may only look. */
  onChoose: ((id: string, on: boolean, range: boolean) => void) | undefined;
  /** With a column for who made it. */
  people: boolean;
  /** Address of all studies; the table follows the links. A router's link in each row would watch every navigation. */
  folder: string;
  /** Changes when the times are to be written anew. */
  minute: number;
}

export const StudyRow = memo(function StudyRow({ study, marked, chosen, onChoose, people, folder }: StudyRowProps) {
  const link = useRef<HTMLAnchorElement>(null);
  const [menu, setMenu] = useState(false);
  useEffect(() => {
    if (marked) link.current?.focus();
  }, [marked]);
  const { counts, tags } = study;
  const state = stateOf(study);
  return (
    <div
      role="row"
      className={classes.row}
      aria-label={study.name}
      data-state={state}
      data-archived={study.archived_at !== null || undefined}
      data-chosen={chosen || undefined}
    >
      {onChoose && (
        <span role="cell" className={classes.box}>
          <input
            type="checkbox"
            aria-label={`Choose ${study.name}`}
            checked={chosen}
            onChange={({ currentTarget, nativeEvent }) =>
              onChoose(study.id, currentTarget.checked, (nativeEvent as MouseEvent).shiftKey)
            }
          />
        </span>
      )}
      <span role="cell" data-column="state" className={classes.state} title={STATE_MEANS[state]}>
        <span className={classes.dot} />
        {state}
      </span>
      <span role="cell" data-column="name" className={classes.what}>
        <a ref={link} href={`${folder}${study.id}`} className={classes.name} dir="auto" title={study.name}>
          {study.name}
        </a>
        {study.archived_at !== null && <span className={classes.tag}>archived</span>}
        {tags.slice(0, TAGS_SHOWN).map((tag) => (
          <span key={tag} className={classes.tag} title={tag}>
            {tag}
          </span>
        ))}
        {tags.length > TAGS_SHOWN && (
          <span className={classes.tag} title={tags.slice(TAGS_SHOWN).join(", ")}>
            +{tags.length - TAGS_SHOWN}
          </span>
        )}
      </span>
      <Verdict study={study} state={state} />
      <span role="cell" data-column="model" title={study.model}>
        {study.model}
      </span>
      <span role="cell" data-column="data" title={study.dataset}>
        {study.dataset}
      </span>
      {people && (
        <span role="cell" data-column="person" title={study.created_by_name ?? undefined}>
          {study.created_by_name}
        </span>
      )}
      <span
        role="cell"
        data-column="runs"
        className="number"
        title={`${countsInWords(counts)} (${count(study.arm_count, "arm")} × ${count(study.seeds, "seed")})`}
      >
        {counts.succeeded}/{counts.total}
        {counts.failed > 0 && <b className={classes.failed}> {counts.failed} failed</b>}
      </span>
      <span role="cell" data-column="last" title={moment(study.last_activity_at)}>
        {ago(study.last_activity_at)}
      </span>
      <span role="cell" data-column="menu">
        {onChoose && (menu ? <StudyMenu study={study} /> : <Dots name={study.name} onClick={() => setMenu(true)} />)}
      </span>
    </div>
  );
});

/** Mantine's menu is made when it is first asked for: a thousand of them would take a second. */
function Dots({ name, onClick }: { name: string; onClick: () => void }) {
  return (
    <button
      type="button"
      className={classes.dots}
      aria-label={`Actions for ${name}`}
      aria-haspopup="menu"
      onClick={onClick}
    >
      <IconDots size={17} />
    </button>
  );
}

function Verdict({ study, state }: { study: StudySummary; state: State }) {
  const { headline, counts, eta_seconds: left, queue_position: ahead } = study;
  const open = counts.queued + counts.running > 0;
  const told = headline && headline.state !== "waiting" && (headline.current || !open) ? headline : null;
  if (told)
    return (
      <span role="cell" data-column="verdict" data-verdict={told.state} title={`${VERDICTS[told.state]}: ${told.text}`}>
        {told.text}
      </span>
    );
  const waits = state === "queued" && ahead ? `${count(ahead, "run")} first` : "";
  const eta = open && state !== "paused" && left !== null ? `${timeLeft(left)} left` : "";
  return (
    <span role="cell" data-column="verdict" className={classes.waiting}>
      {open ? (
        <>
          <span className={classes.bar} aria-hidden="true">
            <span style={{ width: `${100 * study.progress}%` }} />
          </span>
          {[waits, eta].filter(Boolean).join(" · ") || `${Math.floor(100 * study.progress)} %`}
        </>
      ) : counts.succeeded === 0 ? (
        "no run finished"
      ) : headline === null ? (
        "verdict on its way"
      ) : (
        "too little is known"
      )}
    </span>
  );
}
