# Builds and installs without a network, also where packages are built: `make`, `make check`, `make install DESTDIR=...`.
# What lies where in an installed system is said here alone; the RPM and the Debian package come from it.
# Needs Deno, its runtime and the npm packages: from scripts/setup.sh, or from the vendor archive (docs/package.md).
prefix ?= /usr
bindir ?= $(prefix)/bin
unitdir ?= $(prefix)/lib/systemd/system
presetdir ?= $(prefix)/lib/systemd/system-preset
generatordir ?= $(prefix)/lib/systemd/system-generators
mandir ?= $(prefix)/share/man
bashdir ?= $(prefix)/share/bash-completion/completions
zshdir ?= $(prefix)/share/zsh/site-functions
fishdir ?= $(prefix)/share/fish/vendor_completions.d
INSTALL ?= install

# The machine that the executable is for, and this one.
HOST := $(shell uname -m)
TARGET ?= $(HOST)
# Deno's words for processors, as the vendor archive has them in its names.
deno_x86_64 := x64
deno_aarch64 := arm64
DENO ?= $(or $(wildcard vendor/cache/deno-$(deno_$(HOST))),deno)

.PHONY: all
all:
	$(DENO) run -A --cached-only scripts/compile.ts --target $(TARGET)-unknown-linux-gnu --output bootc

# The tests that need neither root nor a network; those of the command line judge the executable where it runs here.
.PHONY: check
check:
	NO_COLOR=1 $(DENO) task test:unprivileged
ifeq ($(TARGET),$(HOST))
	NO_COLOR=1 BOOTC=./bootc $(DENO) task test:help
endif

.PHONY: install
install:
	$(INSTALL) -D -m 0755 bootc "$(DESTDIR)$(bindir)/bootc"
	# libostree runs what lies here for `ostree container`.
	$(INSTALL) -d "$(DESTDIR)$(prefix)/libexec/libostree/ext"
	ln -sfn ../../../bin/bootc "$(DESTDIR)$(prefix)/libexec/libostree/ext/ostree-container"
	$(INSTALL) -d "$(DESTDIR)$(prefix)/lib/bootc/kargs.d"
	$(INSTALL) -d "$(DESTDIR)$(unitdir)" "$(DESTDIR)$(presetdir)" "$(DESTDIR)$(generatordir)"
	$(INSTALL) -m 0644 systemd/*.service systemd/*.timer systemd/*.path systemd/*.target "$(DESTDIR)$(unitdir)/"
	$(INSTALL) -m 0644 systemd/90-bootc.preset "$(DESTDIR)$(presetdir)/"
	ln -sfn ../../../bin/bootc "$(DESTDIR)$(generatordir)/bootc-systemd-generator"
	$(INSTALL) -d "$(DESTDIR)$(mandir)/man5" "$(DESTDIR)$(mandir)/man8"
	$(INSTALL) -m 0644 man/*.5 "$(DESTDIR)$(mandir)/man5/"
	$(INSTALL) -m 0644 man/*.8 "$(DESTDIR)$(mandir)/man8/"
	$(INSTALL) -D -m 0644 completions/bootc.bash "$(DESTDIR)$(bashdir)/bootc"
	$(INSTALL) -D -m 0644 completions/_bootc "$(DESTDIR)$(zshdir)/_bootc"
	$(INSTALL) -D -m 0644 completions/bootc.fish "$(DESTDIR)$(fishdir)/bootc.fish"
