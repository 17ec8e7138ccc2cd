/** "Did you mean": the nearest known word to one that is not known. */

/** How many letters to add, drop, change or swap with a neighbour to come from one word to the other. */
function editDistance(from: string, to: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let best = Math.min(previous[column]! + 1, current[column - 1]! + 1, previous[column - 1]! + (same ? 0 : 1));
      if (row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]) {
        best = Math.min(best, before[column - 2]! + 1);
      }
      current.push(best);
    }
    [before, previous] = [previous, current];
  }
  return previous[to.length]!;
}

/** The candidate that a hurried person meant: a third of the letters wrong at most, or the one that starts so; undefined where none is near. */
export function didYouMean(word: string, candidates: readonly string[]): string | undefined {
  const longer = candidates.filter((candidate) => word.length >= 2 && candidate.startsWith(word));
  if (longer.length === 1) return longer[0];
  const limit = Math.max(1, Math.floor(word.length / 3));
  let nearest: { candidate: string; distance: number } | undefined;
  for (const candidate of candidates) {
    const distance = editDistance(word, candidate);
    if (distance <= limit && distance < (nearest?.distance ?? Infinity)) nearest = { candidate, distance };
  }
  return nearest?.candidate;
}
