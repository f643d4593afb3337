# SPDX-License-Identifier: MIT
# fish completion for ramet. Verbs and options are read from the --help of the ramet that is
# installed; here stands only what the values of some options may be.

function __ramet_verbs
    ramet --help 2>/dev/null | sed -nE 's/^  ([a-z]+)  +([^ ].*)/\1\t\2/p'
end

function __ramet_list
    # A list parted by commas: complete its last word.
    set -l before (string match -r '^.*,' -- (commandline -ct | string replace -r '^--[^=]*=' ''))
    printf '%s\n' $before$argv
end

function __ramet_values
    set -l presets fork vfork spawn linuxthreads container
    switch $argv[1]
        case --preset
            printf '%s\n' $presets
        case presets
            printf '%s\n' $presets nptl
        case workloads
            ramet bench --list 2>/dev/null | string replace -rf '^([a-z]+): (.*)' '$1\t$2'
        case --pages
            printf '%s\n' small huge both
        case --only
            __ramet_list (ramet bench --list 2>/dev/null | string replace -rf '^  (\S+( \S+)*)  +.*' '$1' | sort -u)
        case --share --copy --new
            __ramet_list memory files fs sighand thread-group parent sysvsem io tls mnt pid net \
                ipc uts user cgroupns time cgroup
        case --caps --bounding --ambient
            __ramet_list all none chown dac_override dac_read_search fowner fsetid kill setgid \
                setuid setpcap linux_immutable net_bind_service net_broadcast net_admin net_raw \
                ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct \
                sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease \
                audit_write audit_control setfcap mac_override mac_admin syslog wake_alarm \
                block_suspend audit_read perfmon bpf checkpoint_restore
        case --securebits
            __ramet_list noroot no-setuid-fixup keep-caps no-cap-ambient-raise noroot-locked \
                no-setuid-fixup-locked keep-caps-locked no-cap-ambient-raise-locked
        case --pdeathsig --exit-signal
            printf 'SIG%s\n' (kill -l | string split -n ' ')
        case --default-signal --ignore-signal --block-signals
            __ramet_list all SIG(kill -l | string split -n ' ')
        case --rlimit
            printf '%s=\n' as core cpu data fsize locks memlock msgqueue nice nofile nproc rss \
                rtprio rttime sigpending stack
        case --sched
            printf '%s\n' other batch idle fifo: rr:
        case --ioprio
            printf '%s\n' none realtime realtime: best-effort best-effort: idle
        case --propagation
            printf '%s\n' private slave shared
        case --clock
            printf '%s\n' monotonic: boottime:
        case --way
            printf '%s\n' held futex copy helper
        case --call
            printf '%s\n' auto clone clone3 unshare setns
        case --caller
            __ramet_list uid= cap= threads= no-new= chroot unmapped init pid-for-children \
                time-for-children shared-memory shared-sighand shared-fs deadline process-limit
        case --by
            printf '%s\n' memory files fs sighand thread-group parent sysvsem io mnt pid net ipc \
                uts user cgroupns time cgroup
        case --output
            __ramet_list all (ramet tree -o help 2>/dev/null | string match -r '\S+')
        case --arch
            printf '%s\n' x86_64 i386 aarch64 arm riscv64 ppc64le s390x mips64 loongarch64
        case --color
            printf '%s\n' auto always never
        case --view
            printf '%s\n' live tree summary chrome
        case --env
            set -nx
        case --join --with --pid
            __fish_complete_pids
        case --cwd --root --cgroup
            __fish_complete_directories (commandline -ct | string replace -r '^--[^=]*=' '')
    end
end

function __ramet_before_verb
    test (count (commandline -opc)) -eq 1
end

# Options take their value as the next word, too: the program begins behind all of them.
function __ramet_options_of
    set -l words (commandline -opc)
    test "$words[2]" = $argv[1]; or return 1
    set -e words[1..2]
    set -l plain (__ramet_plain $argv[1])
    # What bench measures may stand in front of its options.
    if test $argv[1] = bench; and set -q words[1]; and not string match -q -- '-*' $words[1]
        set -e words[1]
    end
    while set -q words[1]
        string match -q -- '-*' $words[1]; or return 1
        test $words[1] = --; and return 1
        if string match -q -- '*=*' $words[1]; or contains -- $words[1] $plain
            set -e words[1]
        else
            set -e words[1..2]
        end
    end
end

function __ramet_plain
    ramet $argv[1] --help 2>/dev/null |
        sed -nE 's/^  (-[A-Za-z], |    )(--[a-z0-9-]+)( .*|$)/\2/p; s/^  (-[A-Za-z]), --[a-z0-9-]+( .*|$)/\1/p'
end

# A short one first: fish takes long ones in front for its own.
function __ramet_taking
    echo -- -p
    test $argv[1] = trace; and echo -- -o
    ramet $argv[1] --help 2>/dev/null | sed -nE 's/^  (-[A-Za-z], |    )(--[a-z0-9-]+)=.*/\2/p'
end

complete -c ramet -f
complete -c ramet -n __ramet_before_verb -a '(__ramet_verbs)'
complete -c ramet -n __ramet_before_verb -l help -d 'the verbs'
complete -c ramet -n __ramet_before_verb -l version -d 'the version'

for __ramet_verb in (ramet --help 2>/dev/null | sed -nE 's/^  ([a-z]+)  +[^ ].*/\1/p')
    ramet $__ramet_verb --help 2>/dev/null |
        sed -nE '/^  (-[A-Za-z], |    )--/ {
            /  +[^ ].*  +[^ ]|^  -[A-Za-z], --[^ ]*  +[^ ]/ !{ N; s/\n */  /; }
            s/^  (-([A-Za-z]), |    )--([a-z0-9-]+)(=([^ ]+)|\[[^ ]*)? */\3\t\2\t\5\t/p
        }' | while read -d \t -l __ramet_name __ramet_letter __ramet_takes __ramet_text
        set -l more
        test -n "$__ramet_letter"; and set -a more -s $__ramet_letter
        if test -n "$__ramet_takes"
            switch $__ramet_takes
                case FILE PATH DST SRC:DST
                    set -a more -rF
                case '*'
                    set -a more -x -a "(__ramet_values --$__ramet_name)"
            end
        end
        complete -c ramet -n "__ramet_options_of $__ramet_verb" -l $__ramet_name -d "$__ramet_text" $more
    end
end
set -e __ramet_verb

for __ramet_verb in probe explain
    complete -c ramet -n "__ramet_options_of $__ramet_verb" -a '(__ramet_values presets)'
end
complete -c ramet -n '__ramet_options_of bench' -a '(__ramet_values workloads)'
complete -c ramet -n '__ramet_options_of tree' -a '(__fish_complete_pids)'
for __ramet_verb in run trace
    complete -c ramet -n "not __ramet_before_verb; and string match -q $__ramet_verb -- (commandline -opc)[2]" \
        -xa "(__fish_complete_subcommand --fcs-skip=2 (__ramet_taking $__ramet_verb))"
end
set -e __ramet_verb
