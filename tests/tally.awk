# SPDX-License-Identifier: MIT
#
# Reads meson's testlog.json (an object a line) and prints a line a subtest:
# pass|fail|skip <tab> BUILD <tab> TEST: SUBTEST <tab> REASON. meson's own totals count test
# programs, not subtests, and take one that printed nothing for a skipped one.
# Use: awk -v build=NAME -f tests/tally.awk testlog.json

function put(what, sub_name, reason) {
	printf "%s\t%s\t%s\t%s\n", what, build, name (sub_name == "" ? "" : ": " sub_name), reason
}

function subtest(line,    good, skipped, reason, todo) {
	good = line ~ /^ok/
	run++
	if (match(line, / *# *([Ss][Kk][Ii][Pp]|[Tt][Oo][Dd][Oo])[^ ]* */)) {
		todo = tolower(substr(line, RSTART, RLENGTH)) ~ /todo/
		reason = substr(line, RSTART + RLENGTH)
		line = substr(line, 1, RSTART - 1)
		skipped = 1
	}
	sub(/^(not )?ok *[0-9]* *(- )?/, "", line)
	if (skipped && (good || todo))
		put("skip", line, reason)
	else if (good)
		put("pass", line)
	else {
		failed++
		put("fail", line)
	}
}

{
	name = $0
	sub(/^\{"name": "/, "", name)
	sub(/", "stdout": .*/, "", name)
	sub(/^.* \/ /, "", name)

	if (!match($0, /, "result": "[A-Z ]+", "starttime"/))
		next
	result = substr($0, RSTART + 13, RLENGTH - 27)
	text = substr($0, 1, RSTART - 1)
	sub(/^.*", "stdout": "?/, "", text)
	sub(/"$/, "", text)
	gsub(/\\"/, "\"", text)
	gsub(/\\t/, " ", text)

	run = failed = 0
	plan = -1
	n = split(text, lines, /\\n/)
	for (i = 1; i <= n; i++) {
		if (lines[i] ~ /^(not )?ok( |$)/)
			subtest(lines[i])
		else if (lines[i] ~ /^1\.\.[0-9]+/) {
			plan = substr(lines[i], 4) + 0
			reason = lines[i]
			if (plan == 0 && sub(/.*# *[Ss][Kk][Ii][Pp][^ ]* */, "", reason))
				put("skip", "", reason)
		} else if (lines[i] ~ /^Bail out!/) {
			failed++
			put("fail", lines[i])
		}
	}
	if (plan < 0 && run == 0 && result == "OK")
		put("pass")  # not TAP: its exit status is the result
	else if (plan < 0 && run == 0 && result == "SKIP" && $0 ~ /"returncode": 77,/)
		put("skip", "", "exit status 77")
	else if (plan != run)
		put("fail", (plan < 0 ? "ended without a plan" : "planned " plan ", ran " run) \
		    " (" tolower(result) ")")
	else if (!failed && result !~ /^(OK|SKIP)$/)
		put("fail", tolower(result) " after its last subtest")
}
