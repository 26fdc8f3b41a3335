# Counts how often each word occurs, whatever its case; the most frequent first, then in the order of the alphabet.
{
  gsub(/[^A-Za-z]+/, " ")
  for (i = 1; i <= NF; i++) count[tolower($i)]++
}
END {
  n = 0
  for (word in count) words[++n] = word
  for (i = 2; i <= n; i++) {
    for (j = i; j > 1 && before(words[j], words[j - 1]); j--) {
      kept = words[j]; words[j] = words[j - 1]; words[j - 1] = kept
    }
  }
  for (i = 1; i <= n; i++) printf "%5d %s\n", count[words[i]], words[i]
}
function before(left, right) {
  return count[left] > count[right] || (count[left] == count[right] && left < right)
}
