# bash completion for bootc, as "bootc completion bash" prints it: made from the commands, not written by hand.

# Finds a command below $path and moves there.
_bootc_enter() {
  case "$path $1" in
    'bootc upgrade' | 'bootc update') path='bootc upgrade' ;;
    'bootc switch') path='bootc switch' ;;
    'bootc rollback') path='bootc rollback' ;;
    'bootc edit') path='bootc edit' ;;
    'bootc status') path='bootc status' ;;
    'bootc usr-overlay' | 'bootc usroverlay') path='bootc usr-overlay' ;;
    'bootc image') path='bootc image' ;;
    'bootc image list') path='bootc image list' ;;
    'bootc install') path='bootc install' ;;
    'bootc install ensure-completion') path='bootc install ensure-completion' ;;
    'bootc install finalize') path='bootc install finalize' ;;
    'bootc install print-configuration') path='bootc install print-configuration' ;;
    'bootc install to-disk') path='bootc install to-disk' ;;
    'bootc install to-existing-root') path='bootc install to-existing-root' ;;
    'bootc install to-filesystem') path='bootc install to-filesystem' ;;
    'bootc container') path='bootc container' ;;
    'bootc container export') path='bootc container export' ;;
    'bootc container inspect') path='bootc container inspect' ;;
    'bootc container lint') path='bootc container lint' ;;
    'bootc container split-kernel-and-rootfs') path='bootc container split-kernel-and-rootfs' ;;
    'bootc completion') path='bootc completion' ;;
    'ostree-container unencapsulate' | 'ostree-container import') path='ostree-container unencapsulate' ;;
    'ostree-container info') path='ostree-container info' ;;
    'ostree-container compare') path='ostree-container compare' ;;
    'ostree-container image') path='ostree-container image' ;;
    'ostree-container image list') path='ostree-container image list' ;;
    'ostree-container image pull') path='ostree-container image pull' ;;
    'ostree-container image history') path='ostree-container image history' ;;
    'ostree-container image metadata') path='ostree-container image metadata' ;;
    'ostree-container image copy') path='ostree-container image copy' ;;
    'ostree-container image remove') path='ostree-container image remove' ;;
    'ostree-container image prune-layers') path='ostree-container image prune-layers' ;;
    'ostree-container image prune-images') path='ostree-container image prune-images' ;;
    'ostree-container image deploy') path='ostree-container image deploy' ;;
    'ostree-container image clear-cached-update') path='ostree-container image clear-cached-update' ;;
    *) return 1 ;;
  esac
}

# Sets what may stand behind $path: $commands and $options.
_bootc_words() {
  case "$path" in
    'bootc') commands='upgrade switch rollback edit status usr-overlay image install container completion' options='-h --help -V --version' ;;
    'bootc upgrade') commands='' options='--quiet -v --verbose --apply --soft-reboot --check --download-only --from-downloaded --tag --sysroot -h --help' ;;
    'bootc switch') commands='' options='--quiet -v --verbose --apply --soft-reboot --transport --enforce-container-sigpolicy --retain --sysroot -h --help' ;;
    'bootc rollback') commands='' options='--apply --soft-reboot --sysroot -h --help' ;;
    'bootc edit') commands='' options='-f --filename --quiet --sysroot -h --help' ;;
    'bootc status') commands='' options='--format --json --format-version --booted -v --verbose --from --sysroot -h --help' ;;
    'bootc usr-overlay') commands='' options='--read-only -h --help' ;;
    'bootc image') commands='list' options='-h --help' ;;
    'bootc image list') commands='' options='--type --format --sysroot -h --help' ;;
    'bootc install') commands='ensure-completion finalize print-configuration to-disk to-existing-root to-filesystem' options='-h --help' ;;
    'bootc install ensure-completion') commands='' options='-h --help' ;;
    'bootc install finalize') commands='' options='-h --help' ;;
    'bootc install print-configuration') commands='' options='--all -h --help' ;;
    'bootc install to-disk') commands='' options='--source-imgref --target-imgref --target-transport --enforce-container-sigpolicy --stateroot --karg --karg-delete --run-fetch-check --skip-fetch-check --bootloader --generic-image --bootupd-skip-boot-uuid --bound-images --disable-selinux --root-ssh-authorized-keys --quiet -v --verbose --wipe --filesystem --root-size --block-setup --via-loopback --authfile --auth-anonymous --cert-dir --insecure-skip-tls-verification -h --help' ;;
    'bootc install to-existing-root') commands='' options='--source-imgref --target-imgref --target-transport --enforce-container-sigpolicy --stateroot --karg --karg-delete --run-fetch-check --skip-fetch-check --bootloader --generic-image --bootupd-skip-boot-uuid --bound-images --disable-selinux --root-ssh-authorized-keys --quiet -v --verbose --replace --acknowledge-destructive --cleanup --authfile --auth-anonymous --cert-dir --insecure-skip-tls-verification -h --help' ;;
    'bootc install to-filesystem') commands='' options='--source-imgref --target-imgref --target-transport --enforce-container-sigpolicy --stateroot --karg --karg-delete --run-fetch-check --skip-fetch-check --bootloader --generic-image --bootupd-skip-boot-uuid --bound-images --disable-selinux --root-ssh-authorized-keys --quiet -v --verbose --root-mount-spec --boot-mount-spec --replace --acknowledge-destructive --skip-finalize --authfile --auth-anonymous --cert-dir --insecure-skip-tls-verification -h --help' ;;
    'bootc container') commands='export inspect lint split-kernel-and-rootfs' options='-h --help' ;;
    'bootc container export') commands='' options='--format -o --output --kernel-in-boot --disable-selinux -h --help' ;;
    'bootc container inspect') commands='' options='--rootfs --json --format -h --help' ;;
    'bootc container lint') commands='' options='--rootfs --fatal-warnings --list --skip --no-truncate -h --help' ;;
    'bootc container split-kernel-and-rootfs') commands='' options='--rootfs --output -h --help' ;;
    'bootc completion') commands='' options='-h --help' ;;
    'ostree-container') commands='unencapsulate info compare image' options='-h --help' ;;
    'ostree-container unencapsulate') commands='' options='--repo --write-ref --quiet --authfile --auth-anonymous --cert-dir --insecure-skip-tls-verification -h --help' ;;
    'ostree-container info') commands='' options='--authfile --auth-anonymous --cert-dir --insecure-skip-tls-verification -h --help' ;;
    'ostree-container compare') commands='' options='--authfile --auth-anonymous --cert-dir --insecure-skip-tls-verification -h --help' ;;
    'ostree-container image') commands='list pull history metadata copy remove prune-layers prune-images deploy clear-cached-update' options='-h --help' ;;
    'ostree-container image list') commands='' options='--repo -h --help' ;;
    'ostree-container image pull') commands='' options='--quiet -v --verbose --check --ostree-digestfile --authfile --auth-anonymous --cert-dir --insecure-skip-tls-verification -h --help' ;;
    'ostree-container image history') commands='' options='--repo -h --help' ;;
    'ostree-container image metadata') commands='' options='--repo --config -h --help' ;;
    'ostree-container image copy') commands='' options='--src-repo --dest-repo -h --help' ;;
    'ostree-container image remove') commands='' options='--repo --skip-gc -h --help' ;;
    'ostree-container image prune-layers') commands='' options='--repo -h --help' ;;
    'ostree-container image prune-images') commands='' options='--sysroot --and-layers --full -h --help' ;;
    'ostree-container image deploy') commands='' options='--sysroot --stateroot --imgref --image --transport --enforce-container-sigpolicy --target-imgref --no-imgref --karg --write-commitid-to --quiet -v --verbose --authfile --auth-anonymous --cert-dir --insecure-skip-tls-verification -h --help' ;;
    'ostree-container image clear-cached-update') commands='' options='--repo -h --help' ;;
    *) return 1 ;;
  esac
}

# Sets what the value of an option of $path ($1), or its argument ($1 is 1, 2, ...), may be: $offers.
_bootc_offers() {
  case "$path $1" in
    'bootc upgrade --soft-reboot') offers='required auto' ;;
    'bootc upgrade --tag') offers=@none ;;
    'bootc upgrade --sysroot') offers=@directory ;;
    'bootc switch --soft-reboot') offers='required auto' ;;
    'bootc switch --transport') offers='registry oci oci-archive docker-archive containers-storage docker-daemon dir' ;;
    'bootc switch --sysroot') offers=@directory ;;
    'bootc switch 1') offers=@image ;;
    'bootc rollback --soft-reboot') offers='required auto' ;;
    'bootc rollback --sysroot') offers=@directory ;;
    'bootc edit --filename' | 'bootc edit -f') offers=@file ;;
    'bootc edit --sysroot') offers=@directory ;;
    'bootc status --format') offers='humanreadable yaml json' ;;
    'bootc status --format-version') offers=@none ;;
    'bootc status --from') offers=@file ;;
    'bootc status --sysroot') offers=@directory ;;
    'bootc image list --type') offers='all logical host' ;;
    'bootc image list --format') offers='table json' ;;
    'bootc image list --sysroot') offers=@directory ;;
    'bootc install finalize 1') offers=@directory ;;
    'bootc install to-disk --source-imgref') offers=@image ;;
    'bootc install to-disk --target-imgref') offers=@image ;;
    'bootc install to-disk --target-transport') offers='registry oci oci-archive docker-archive containers-storage docker-daemon dir' ;;
    'bootc install to-disk --stateroot') offers=@none ;;
    'bootc install to-disk --karg') offers=@none ;;
    'bootc install to-disk --karg-delete') offers=@none ;;
    'bootc install to-disk --bootloader') offers='grub grub-cc systemd none' ;;
    'bootc install to-disk --bound-images') offers='stored skip pull' ;;
    'bootc install to-disk --root-ssh-authorized-keys') offers=@file ;;
    'bootc install to-disk --filesystem') offers='xfs ext4 btrfs' ;;
    'bootc install to-disk --root-size') offers=@none ;;
    'bootc install to-disk --block-setup') offers='direct tpm2-luks' ;;
    'bootc install to-disk --authfile') offers=@file ;;
    'bootc install to-disk --cert-dir') offers=@directory ;;
    'bootc install to-disk 1') offers=@file ;;
    'bootc install to-existing-root --source-imgref') offers=@image ;;
    'bootc install to-existing-root --target-imgref') offers=@image ;;
    'bootc install to-existing-root --target-transport') offers='registry oci oci-archive docker-archive containers-storage docker-daemon dir' ;;
    'bootc install to-existing-root --stateroot') offers=@none ;;
    'bootc install to-existing-root --karg') offers=@none ;;
    'bootc install to-existing-root --karg-delete') offers=@none ;;
    'bootc install to-existing-root --bootloader') offers='grub grub-cc systemd none' ;;
    'bootc install to-existing-root --bound-images') offers='stored skip pull' ;;
    'bootc install to-existing-root --root-ssh-authorized-keys') offers=@file ;;
    'bootc install to-existing-root --replace') offers='wipe alongside' ;;
    'bootc install to-existing-root --authfile') offers=@file ;;
    'bootc install to-existing-root --cert-dir') offers=@directory ;;
    'bootc install to-existing-root 1') offers=@directory ;;
    'bootc install to-filesystem --source-imgref') offers=@image ;;
    'bootc install to-filesystem --target-imgref') offers=@image ;;
    'bootc install to-filesystem --target-transport') offers='registry oci oci-archive docker-archive containers-storage docker-daemon dir' ;;
    'bootc install to-filesystem --stateroot') offers=@none ;;
    'bootc install to-filesystem --karg') offers=@none ;;
    'bootc install to-filesystem --karg-delete') offers=@none ;;
    'bootc install to-filesystem --bootloader') offers='grub grub-cc systemd none' ;;
    'bootc install to-filesystem --bound-images') offers='stored skip pull' ;;
    'bootc install to-filesystem --root-ssh-authorized-keys') offers=@file ;;
    'bootc install to-filesystem --root-mount-spec') offers=@none ;;
    'bootc install to-filesystem --boot-mount-spec') offers=@none ;;
    'bootc install to-filesystem --replace') offers='wipe alongside' ;;
    'bootc install to-filesystem --authfile') offers=@file ;;
    'bootc install to-filesystem --cert-dir') offers=@directory ;;
    'bootc install to-filesystem 1') offers=@directory ;;
    'bootc container export --format') offers='tar' ;;
    'bootc container export --output' | 'bootc container export -o') offers=@file ;;
    'bootc container export 1') offers=@directory ;;
    'bootc container inspect --rootfs') offers=@directory ;;
    'bootc container inspect --format') offers='humanreadable yaml json' ;;
    'bootc container lint --rootfs') offers=@directory ;;
    'bootc container lint --skip') offers=@none ;;
    'bootc container split-kernel-and-rootfs --rootfs') offers=@directory ;;
    'bootc container split-kernel-and-rootfs --output') offers=@directory ;;
    'bootc completion 1') offers='bash zsh fish' ;;
    'ostree-container unencapsulate --repo') offers=@directory ;;
    'ostree-container unencapsulate --write-ref') offers=@none ;;
    'ostree-container unencapsulate --authfile') offers=@file ;;
    'ostree-container unencapsulate --cert-dir') offers=@directory ;;
    'ostree-container unencapsulate 1') offers=@image ;;
    'ostree-container info --authfile') offers=@file ;;
    'ostree-container info --cert-dir') offers=@directory ;;
    'ostree-container info 1') offers=@image ;;
    'ostree-container compare --authfile') offers=@file ;;
    'ostree-container compare --cert-dir') offers=@directory ;;
    'ostree-container compare 1') offers=@image ;;
    'ostree-container compare 2') offers=@image ;;
    'ostree-container image list --repo') offers=@directory ;;
    'ostree-container image pull --check') offers=@file ;;
    'ostree-container image pull --ostree-digestfile') offers=@file ;;
    'ostree-container image pull --authfile') offers=@file ;;
    'ostree-container image pull --cert-dir') offers=@directory ;;
    'ostree-container image pull 1') offers=@directory ;;
    'ostree-container image pull 2') offers=@image ;;
    'ostree-container image history --repo') offers=@directory ;;
    'ostree-container image history 1') offers=@image ;;
    'ostree-container image metadata --repo') offers=@directory ;;
    'ostree-container image metadata 1') offers=@image ;;
    'ostree-container image copy --src-repo') offers=@directory ;;
    'ostree-container image copy --dest-repo') offers=@directory ;;
    'ostree-container image copy 1') offers=@image ;;
    'ostree-container image remove --repo') offers=@directory ;;
    'ostree-container image remove '[0-9]*) offers=@image ;;
    'ostree-container image prune-layers --repo') offers=@directory ;;
    'ostree-container image prune-images --sysroot') offers=@directory ;;
    'ostree-container image deploy --sysroot') offers=@directory ;;
    'ostree-container image deploy --stateroot') offers=@none ;;
    'ostree-container image deploy --imgref') offers=@image ;;
    'ostree-container image deploy --image') offers=@image ;;
    'ostree-container image deploy --transport') offers='registry oci oci-archive docker-archive containers-storage docker-daemon dir' ;;
    'ostree-container image deploy --target-imgref') offers=@image ;;
    'ostree-container image deploy --karg') offers=@none ;;
    'ostree-container image deploy --write-commitid-to') offers=@file ;;
    'ostree-container image deploy --authfile') offers=@file ;;
    'ostree-container image deploy --cert-dir') offers=@directory ;;
    'ostree-container image clear-cached-update --repo') offers=@directory ;;
    'ostree-container image clear-cached-update 1') offers=@image ;;
    *) return 1 ;;
  esac
}

_bootc() {
  local IFS=$' \t\n' line=$COMP_LINE rest piece words=()
  for piece in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
    rest=${line#"${line%%[![:space:]]*}"}
    if [[ ${#words[@]} -gt 0 && $rest == "$line" && -n $line ]]; then
      words[-1]+=$piece
    else
      words+=("$piece")
    fi
    line=${rest#"$piece"}
  done

  local cur=${words[-1]} path=${words[0]##*/} number=1 offers= commands= options= prefix= ended= word at
  local image_path=$'^["\']?([a-z-]+:)*([.~]|/([^/]|$))'
  for ((at = 1; at < ${#words[@]} - 1; at++)); do
    word=${words[at]}
    if [[ $word == -- && -z $ended ]]; then
      ended=1
    elif [[ $word == -* && -z $ended ]]; then
      # Its value is the next word, which may be the one to complete.
      if [[ $word != *=* ]] && _bootc_offers "$word"; then ((++at)); fi
    elif ((number > 1)) || ! _bootc_enter "$word"; then
      ((++number))
    fi
  done

  offers=
  COMPREPLY=()
  _bootc_words || return
  if ((at == ${#words[@]})); then
    _bootc_offers "$word"
  elif [[ $cur == --*=* && -z $ended ]]; then
    _bootc_offers "${cur%%=*}" || return
    # Where "=" splits no words, the answer must repeat what stands before it.
    if [[ ${COMP_WORDS[COMP_CWORD]} == --* ]]; then prefix=${cur%%=*}=; fi
    cur=${cur#*=}
  elif [[ $cur == -* && -z $ended ]]; then
    offers=$options
  elif [[ -n $commands ]]; then
    if ((number == 1)); then offers=$commands; fi
  elif ! _bootc_offers "$number" && [[ -z $cur && -z $ended ]]; then
    offers=$options
  fi
  case $offers in
    # readline completes paths itself, with its own quoting.
    @file) compopt -o default ;;
    @directory) compopt -o dirnames ;;
    @image) if [[ $cur =~ $image_path ]]; then compopt -o default; fi ;;
    @none) ;;
    *) mapfile -t COMPREPLY < <(compgen -P "$prefix" -W "$offers" -- "$cur") ;;
  esac
}

complete -F _bootc bootc ostree-container
