/** One row an arm: how often it is right, how true its confidence is, and how far its seeds agree. */
import { Table, Text } from "@mantine/core";
import type { ArmLedger } from "../../../api/types";
import { decimals, percent } from "../../../format/numbers";

const HEADS = [
  "Arm",
  "Seeds",
  "Accuracy",
  "Loss",
  "Calibration error",
  "Brier",
  "Temperature",
  "Loss after it",
  "Seeds agree on",
  "Seeds together",
  "Right alone : baseline alone",
];
const NONE = "–";

export function ConfidenceTable({ arms }: { arms: ArmLedger[] }) {
  return (
    <Table.ScrollContainer
      minWidth={980}
      type="native"
      role="group"
      tabIndex={0}
      aria-label="Answers and confidence, scrolls sideways"
    >
      <Table horizontalSpacing={8} highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            {HEADS.map((head, at) => (
              <Table.Th key={head} ta={at === 0 ? "left" : "right"}>
                {head}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {arms.map((arm) => (
            <Table.Tr key={arm.arm_id}>
              <Table.Th scope="row" dir="auto" fw={550}>
                {arm.name}
                {arm.is_baseline && (
                  <Text span size="xs" c="dimmed">
                    {" "}
                    baseline
                  </Text>
                )}
              </Table.Th>
              {cellsOf(arm).map((cell, at) => (
                <Table.Td key={HEADS[at + 1]} ta="right" className="number">
                  {cell}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

/** The cells of an arm, in the order of the heads; a dash where its task or its rows have no such number. */
export function cellsOf({
  runs,
  accuracy,
  loss,
  calibration,
  together,
  against_baseline: against,
}: ArmLedger): string[] {
  const scaled = calibration?.scaled;
  return [
    String(runs),
    share(accuracy),
    loss === null ? NONE : decimals(loss),
    calibration
      ? `${calibration.calibration_error.toFixed(2)} (${calibration.calibration_error_lo.toFixed(2)} to ${calibration.calibration_error_hi.toFixed(2)})`
      : NONE,
    calibration ? decimals(calibration.brier) : NONE,
    scaled ? scaled.temperature.toFixed(2) : NONE,
    scaled ? decimals(scaled.loss) : NONE,
    together ? `${percent(together.alike, 0)} of rows` : NONE,
    share(together?.ensemble_accuracy ?? null),
    against
      ? `${against.only_this} : ${against.only_baseline}${against.p === null ? "" : `, p ${plainP(against.p)}`}`
      : NONE,
  ];
}

const share = (value: number | null) => (value === null ? NONE : `${(100 * value).toFixed(1)} %`);
const plainP = (p: number) => (p < 0.001 ? "< 0.001" : `= ${p.toFixed(p < 0.1 ? 3 : 2)}`);
