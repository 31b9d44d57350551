# What people read in English. French (fr.ftl) has the same keys with the same variables.
# A message says the fact and what to do next.

error = error:
yes = yes
no = no

# Passphrases
passphrase-prompt = Passphrase of the vault
passphrase-new = New passphrase of the vault (eight characters at least; four unusual words are better)
passphrase-again = The same again
passphrase-differs = The two are not the same. Try again.

# The command line
usage-unknown-argument = { $argument } is not known here. See --help.
usage-missing-argument = This is missing: { $argument }. See --help.
usage-unknown-command = There is no command { $command }. See sutura --help.
usage-missing-command = A command is missing. See sutura --help.
usage-invalid-value = { $value } cannot be used for { $argument }. See --help.
usage-conflict = { $argument } cannot be combined with what else was said. See --help.
usage-other = The line was not understood. See --help.

# Errors
error-file = { $path }: { $why }
error-home-nowhere = This system names no data folder. Name one with --home or SUTURA_HOME.
error-home-in-use = Another sutura process works in { $path }. Wait until it ends, or stop it.
error-no-passphrase = The vault needs its passphrase, and no one is there to type it. Put it into a file that only you can read, and name the file in { $variable }.
error-passphrase-world = { $path } can be read by every user of this machine, so its passphrase is not used. Run: chmod 600 { $path }
error-passphrase-empty = { $path } holds no passphrase: its first line is empty. Write the passphrase there.
error-no-unit = The vault holds no unit: sutura init did not finish. Move the folder away and run sutura init again.
error-membership = { $why }
error-rules = The identifier rules of the accord cannot be used: { $why }. Nothing is compared until that is settled.
error-vault-locked = The passphrase does not open the vault. Try again; nobody can recover a lost one.
error-vault-missing = There is no vault at { $path }. Run sutura init, or name the right folder with --home.
error-vault-exists = There is a vault at { $path } already, and it stays as it is. Name another folder with --home.
error-vault-damaged = The vault is damaged: { $what }. Stop working with it, keep a copy, and restore the last backup.
error-vault-format = The vault was made by a newer version of Sutura. Update this one.
error-vault-other = The vault could not be used, and nothing was changed: { $why }
error-sqlite = This program contains SQLite { $found }, which can damage its files. Install a build with 3.51.3 or later.
error-mapping = The mapping cannot be used: { $why }
error-init-title = The title must have 1 to 200 bytes. Choose another with --title.
error-init-short = The passphrase is too short: { $shortest } characters at least. Choose a longer one.
error-no-record = The register has no record { $record }. See sutura records.
error-import-read = The file cannot be read: { $why }. Nothing was imported.
error-import-not-a-table = The file is neither CSV nor XLSX. Save it as one of the two. Nothing was imported.
error-import-utf16 = The file is in UTF-16. Save it as CSV in UTF-8. Nothing was imported.
error-import-old-workbook = The file is an old XLS workbook. Save it as XLSX or CSV. Nothing was imported.
error-import-workbook = The workbook cannot be read: { $why }. Open it, save it again as XLSX, and retry. Nothing was imported.
error-import-no-sheet = The workbook has no sheet { $name }. It has: { $sheets }. Nothing was imported.
error-import-too-large = The file is larger than a register can be. Divide it. Nothing was imported.
error-import-empty = The file is empty. Nothing was imported.
error-import-no-record = No column is the record reference, which every register needs. The file has: { $found }. Name the column record, or name it in a mapping. Nothing was imported.
error-import-too-many-columns = Line { $line } has more than 1,024 columns: this is no register, or a mark that divides cells is missing its quotation marks. Nothing was imported.
error-import-row-too-long = The row at line { $line } does not end: a quotation mark is probably not closed. Nothing was imported.
error-import-strict = Line { $line }, column { $column }, value { $value }: { $why }. Nothing was imported, as --strict asks.
error-import-failed = The file could not be read to its end. Nothing was imported.

# Causes that are not explained by the identifier rules
cause-no-reference = the row has no record reference; give it one
cause-long-reference = the record reference is longer than 200 bytes; shorten it
cause-nothing-usable = nothing in this row can be compared
cause-not-yes-or-no = write yes or no; it was read as yes
cause-no-header = more cells than the header has columns; they were not read

# Columns of tables
column-file = file
column-line = line
column-column = column
column-value = value
column-reason = reason
column-number = number
column-record = record
column-restricted = restricted
column-tokens = tokens
column-text = text
column-kind = kind
column-tier = tier
column-form = what is compared
column-guess-bits = bits to guess
column-check = check
column-finding = finding

# init
init-done =
    The home of { $unit } is ready in { $home }. Its keys were made here and stay here.
    Next: sutura import FILE, and sutura join INVITE.
init-weak = Warning: with --weak-passphrase-hashing, whoever copies this vault guesses its passphrase at once. For invented registers only.

# import
import-working = importing
import-done = Rows: { $rows }, in { $seconds } s. Records added: { $added }, changed: { $changed }, as before: { $unchanged }, removed: { $removed }. Rows fallen: { $fallen }.
import-dry-run = Rows: { $rows }, in { $seconds } s. Nothing was changed. Without --dry-run: records added: { $added }, changed: { $changed }, as before: { $unchanged }, removed: { $removed }; rows fallen: { $fallen }.
import-row-falls = {" "}(the row falls)
import-more-faults = Faults that are not shown: { $more }. --json lists them.
import-unknown-columns = These columns are kept and not compared: { $columns }. A mapping can name them.
import-windows-1252 = Cells that were not UTF-8 and were read as Windows-1252: { $cells }. Check their accents.
import-protected = Records of victims, minors or witnesses, kept here and never compared: { $records }.
import-joined = Rows that share the reference of another row, and were joined to it: { $rows }.
import-renormalised = The rules of the accord changed. Records of the register that give other tokens now: { $records }.

# records
records-of = Records shown: { $shown } of { $records }.
records-next = More: sutura records --after { $next }

# explain
explain-register = Records in the register: { $records }, of which restricted: { $restricted }. Tokens, at most: { $tokens }.
explain-leaves =
    What leaves this machine, once there is an accord, for each verified peer:
    – { $padded } blinded points at the opening of an epoch ({ $tokens } tokens, padded), then a fixed small number at every tick, whatever happens here;
    – { $padded } tags of 16 bytes, that only the two units of the pair can compute together, and the same fixed numbers afterwards;
    – signed commitments, answers to the peer's own points, and acknowledgements of fixed size.
explain-peers =
    What a peer learns: which of its own tokens you hold too, and which of those share a record. Nothing of the rest, not even how many there are.
    What a peer could try: guesses, one point each, within its quota, counted here and in the log.
explain-broker =
    What the broker learns: that you exchange with that peer, when, the padded numbers, and how many tags were equal. No identifier, no kind, no name, no record.
explain-never =
    What never leaves: names, numbers, dates, places, the cells of your files, references, and everything of victims, minors and witnesses.
    A restricted record is not acknowledged before your officers release it.
explain-no-accord = There is no accord yet, so nothing leaves. The numbers of every tick are set by the accord.
explain-accord =
    The accord in force, “{ $title }”, sets for each peer:
    – { $points } points every { $every } ticks, and { $leaves } tags added and removed in every tick, full or not;
    – at most { $quota } guesses that a peer could try against this register in an epoch.
explain-record = Record { $record }, as it is compared. This is shown to you only:
explain-hint = The option --record REFERENCE shows what would be compared of one of your records.
explain-other-rules = The register was read under other rules than those of the accord in force. The next import or sync reads it anew.

# doctor
doctor-good = good
doctor-note = look
doctor-bad = bad
doctor-folder = { $path } is closed to other users.
doctor-folder-open = { $path } can be read by other users of this machine. Run: chmod -R go-rwx { $path }
doctor-clock = The clock says { $year }.
doctor-clock-wild = The clock says { $year }, which cannot be right. Set it, or this unit misses its ticks.
doctor-agent-runs = Another sutura process works for this unit now.
doctor-agent-rests = No other sutura process works for this unit now.
doctor-vault = All values of the vault open, and none is missing. Values: { $values }.
doctor-strong = A guess at the passphrase costs what it should.
doctor-weak = A guess at the passphrase costs almost nothing: this vault was made for an exercise. Never keep a real register in it.
doctor-unit = This is { $unit } ({ $title }).
doctor-register = Records: { $records }. Tokens: { $tokens }.
doctor-other-rules = The register was read under other rules than those of the accord in force. The next import or sync reads it anew.

# Help
help-heading-usage = Usage:
help-heading-commands = Commands
help-heading-options = Options
help-heading-arguments = Arguments
help-heading-example = Example:
help-command-name = COMMAND
help = Finds what national units have in common without showing anyone the rest. This is one unit's side.
help-home = The unit's folder. Otherwise SUTURA_HOME, or the data folder of this system
help-lang = The language: en or fr. Otherwise SUTURA_LANG, or what the system speaks
help-json = Results as JSON on standard output
help-help = This help
help-version = The version
help-init = Makes the unit's home: a vault under a passphrase, with keys that never leave it
help-init-unit = The unit's short name: letters, digits and hyphens, 32 at most, the same for everyone
help-init-title = The unit's full title, for people. Otherwise the short name
help-init-weak-passphrase-hashing = For exercises with invented registers only: a stolen vault opens at the first guesses
example-init = sutura init --home /srv/sutura --unit SN --title "Senegal, national unit"
help-import = Imports a register (CSV or XLSX) into the vault. Nothing leaves this machine
help-import-file = The register. Its header names the columns; record is required
help-import-mapping = A mapping.toml for files whose columns have other names
help-import-country = The country of national numbers, documents and plates that name none
help-import-sheet = The sheet of a workbook. Otherwise the first
help-import-dry-run = Reports everything, changes nothing
help-import-strict = Stops at the first value that should be corrected, and changes nothing
help-import-replace = The file is the whole register: records that it does not name are removed
example-import = sutura import register.csv --country SN --dry-run
help-explain = Shows what would leave this machine, what others would learn, and what never leaves
help-explain-record = Shows what would be compared of one of the unit's own records
example-explain = sutura explain --record SN-2026-0147
help-records = Lists the unit's own records, or shows one
help-records-reference = The record to show
help-records-after = Lists from this number on
help-records-limit = Lists so many records
example-records = sutura records SN-2026-0147
help-doctor = Looks for trouble in the unit's home. Changes nothing
example-doctor = sutura doctor

# Joining, peers, accord
join-admitted = This unit is a member of { $federation }. Next: sutura sync, then sutura peers.
join-waiting = { $federation } has the request. When the operator has admitted this unit: sutura sync, then sutura peers.
error-invite = This is no invite. It begins with sutura-invite-1- and must be copied whole.
peers-none = No other unit is known yet. Run sutura sync; ask the operator who was admitted.
peers-unverified = Nothing is exchanged with a unit that is not verified. Call its officers, then: sutura peers verify UNIT CODE
peers-lifted = This unit evaluates for { $unit } again. Next: sutura sync.
verify-compare = Read this code to the officers of { $unit } over the telephone or face to face, never through the broker. If theirs is the same: sutura peers verify { $unit } CODE
verify-done = { $unit } is verified. Next: sutura sync.
error-code-differs = The codes differ. Somebody may stand between you and { $unit }: exchange nothing, and tell the officers of { $unit } and the operator.
error-no-peer = There is no unit { $unit } on the roster. Run sutura sync, then sutura peers.
error-not-taken = This cannot be done now: { $why }.
standing-admitted = member
standing-suspended = suspended
standing-left = gone
column-unit = unit
column-title = title
column-standing = standing
column-verified = verified
column-stopped = stopped because of
column-covered = up to tick
column-compared = compared
column-waiting = waiting
column-evaluated = evaluated / quota
column-overlaps = overlaps
column-overlap = overlap
accord-proposed = Proposed, and signed by this unit: { $hash }. Next: sutura sync; the others sign with sutura accord sign.
accord-signed = Signed: { $hash }. Next: sutura sync.
accord-hash = Hash: { $hash }. Points that this unit evaluates for each peer in an epoch, at most: { $quota }.
accord-in-force = In force. Signed by { $signed }, of { $needed }.
accord-complete = Signed by all ({ $signed }, of { $needed }); in force from the start of its epoch.
accord-open = Proposed. Signed by { $signed }, of { $needed }.
error-accord = This text is no accord: { $why }.
error-no-accord = There is no such accord. Run sutura sync, then sutura accord show.

# Working
sync-done = Done: { $sent } envelopes sent, { $received } received. Next: sutura overlaps.
sync-waiting = The broker cannot be reached. The next try in { $seconds } s; nothing is lost.
overlaps-count = { $shown } overlaps shown; { $below } below the accord's threshold.
overlaps-covered = { $unit }: compared up to tick { $tick }; { $waiting } tokens wait.
overlaps-not-covered = { $unit }: nothing compared in this epoch yet.
overlap-one = Overlap { $handle } with { $unit }: own record { $record }; met: { $kinds } (tier { $tier }); shown: { $shown }; since tick { $tick }.
error-no-overlap = There is no overlap { $id }, or more than one begins so. See sutura overlaps.
status-unit = { $unit }: { $records } records, { $tokens } tokens; epoch { $epoch }, tick { $tick }.
status-no-accord = { $unit }: { $records } records, { $tokens } tokens; no accord is in force yet (epoch { $epoch }, tick { $tick }).
status-log = The log at the last checkpoint this unit cosigned: { $size } entries; { $unproven } newer ones wait for proof.
status-outbox = { $unsent } envelopes wait to be sent; { $kept } are kept until their recipient confirms them.
release-done = Peers will learn that tokens of { $record } met, with the next acknowledgement. Next: sutura sync.

# Events
event-joined = { $peer } is a member. Verify it: sutura peers verify { $peer } { $detail }
event-keys-changed = THE KEYS OF { $peer } HAVE CHANGED. Nothing is exchanged with it until its officers are called and it is verified anew. { $detail }
event-suspended = { $peer } is suspended, or gone. { $detail }
event-accord-proposed = An accord was proposed. See sutura accord diff, then sutura accord sign. { $peer }{ $detail }
event-accord-in-force = An accord is in force. { $peer }{ $detail }
event-identifier-version = This program writes identifiers in another version than the accord says: nothing is compared. Update it, or amend the accord. { $peer }{ $detail }
event-over-quota = { $peer } asked for more points than the accord allows. It was refused, and this is in the log. { $detail }
event-not-evaluated = { $peer } did not evaluate a request of ours: { $detail }.
event-refused = A request of { $peer } was not evaluated: { $detail }.
event-disputed = DISPUTE with { $peer }: { $detail }. Evaluation for it is stopped. Look into it; then: sutura peers lift { $peer }
event-disputed-by-peer = { $peer } disputes something of ours: { $detail }. Call its officers.
event-match-disputed = { $peer } says that our leaf of a match does not verify. Evaluation for it is stopped. { $detail }
event-unacknowledged = { $peer } left a match unacknowledged. Evaluation for it is stopped until: sutura peers lift { $peer } { $detail }
event-split-view = THE BROKER SHOWS TWO HISTORIES OF THE LOG. Nothing more is exchanged. Tell the other units. { $peer }{ $detail }
event-other-history = { $peer } follows another history of the log. Evaluation for it is stopped; compare with its officers. { $detail }
event-restored = This vault is older than what the federation saw of it. It evaluates nothing in this epoch. { $peer }{ $detail }
event-rejected = The broker refused an envelope of ours for good: { $detail }. { $peer }
event-overlaps = New overlaps with { $peer }: { $detail }. See sutura overlaps.

# Errors of the link
error-not-joined = This unit has joined no federation. Ask the operator for an invite, then: sutura join INVITE
error-not-admitted = The operator has not admitted this unit yet. Try again later.
error-split-view = The broker shows two histories of the log. Nothing more is exchanged. Tell the other units.
error-not-now = The broker does not take this now ({ $code }). Check this machine's clock, and try again.
error-session = { $why }
error-broker-unreachable = { $why }. Nothing is lost: try again later.
error-broker-other = { $why }. Send nothing; call the operator.
error-broker-certificate = { $why }. Call the operator.
error-broker = { $why }

# Help
help-join = Joins a federation: sends this unit's public keys to the broker of an invite
help-join-invite = The invite, as the operator gave it
example-join = sutura join sutura-invite-1-…
help-peers = Lists the other units, and verifies them
help-peers-verify = Shows the verification code of a peer, or compares it with what its officers read out
help-peers-verify-unit = The peer's name
help-peers-verify-code = The code that its officers read out; with or without spaces
example-peers-verify = sutura peers verify GM 12345 67890 …
help-peers-lift = Evaluates for a peer again, after a dispute was looked into
help-peers-lift-unit = The peer's name
example-peers-lift = sutura peers lift GM
help-sync = Does all that is due: requests, evaluations, tag sets, notices, checkpoints
help-sync-watch = Goes on until it is stopped
help-sync-until-settled = Goes on until everything that is held is compared with every verified unit
example-sync = sutura sync --watch
help-overlaps = Lists what this unit and others have in common, beside the own records
help-overlaps-peer = With this unit only
help-overlaps-all = Also those below the accord's threshold
example-overlaps = sutura overlaps --peer GM
help-overlap = Shows one overlap
help-overlap-id = Its handle, or the first characters of it (four at least)
example-overlap = sutura overlap 3f9a
help-accord = Shows, proposes, compares and signs the accord
help-accord-show = Shows the accord in force, or a proposed one
help-accord-show-hash = The first characters of its hash
example-accord-show = sutura accord show
help-accord-propose = Proposes a text to all units, and signs it
help-accord-propose-file = The text (TOML)
example-accord-propose = sutura accord propose accord.toml
help-accord-sign = Signs a proposal: the latest that is not signed, or the one named
help-accord-sign-hash = The first characters of its hash
example-accord-sign = sutura accord sign 3f9a
help-accord-diff = Shows what a proposal changes
help-accord-diff-hash = The first characters of its hash
example-accord-diff = sutura accord diff
help-status = Shows how the unit stands: peers, coverage, log, events
example-status = sutura status --json
help-release = Lets peers know that the tokens of a restricted record met
help-release-reference = The record's own reference
example-release = sutura release SN-0042

# Officers
passphrase-new-officer = New passphrase of this officer, whom nobody else can sign for (eight characters at least)
error-no-officer-passphrase = The officer's own passphrase is needed, and no one is there to type it. Put it into a file that only the officer can read, and name the file in { $variable }.
error-officer-locked = The passphrase is not this officer's. Try again; nobody can recover a lost one.
error-officer-name = This cannot be an officer's name: 1 to 100 bytes, not a number alone, no space around it.
error-officer-taken = An officer of this unit has this name already. Add something to tell the two apart, or revoke the other.
error-officer-unknown = This unit has no such officer. See sutura officers list.
error-officer-revoked = This officer was revoked, and signs nothing more.
error-officer-too-many = This unit has had as many officers as a unit can have.
error-officer-waiting = { $officer } waits to be sent to the broker. Run sutura sync first.
officers-added = Officer { $number }: { $name }, { $role }. Next: sutura sync; then this officer can sign.
officers-weak = Warning: with --weak-passphrase-hashing, whoever opens this vault guesses the officer's passphrase at once. For exercises only.
officers-revoked = Officer { $number } ({ $officer }) signs nothing more, once sutura sync has told all.
officers-forgotten = Officer { $number } ({ $officer }) was never accepted. The key is destroyed.
officers-none = No officer is known yet. Add those of this unit: sutura officers add NAME --role ROLE
officers-waiting = Who waits is not accepted by the broker yet. Next: sutura sync.
officer-waiting = waits
officer-in-standing = signs
officer-revoked = revoked
column-name = name
column-role = role
role-investigator = investigator
role-contact = point of contact
role-head = head of unit
role-legal-officer = legal officer
role-magistrate = magistrate
role-mentor = mentor
event-peer-officer = { $peer } certified or revoked an officer. See sutura officers list. { $detail }
help-officers = Adds, lists and revokes the officers who sign for this unit
help-officers-add = A new officer, with a signing key under a passphrase of their own
help-officers-add-name = The officer's name. Others see a number and a role; the name goes inside sealed matter only
help-officers-add-role = investigator, contact, head, legal-officer, magistrate or mentor
help-officers-add-weak-passphrase-hashing = For exercises only: the officer's passphrase costs nothing to guess
example-officers-add = sutura officers add "Awa Diop" --role legal-officer
help-officers-list = Lists this unit's officers, and those of the others by number and role
example-officers-list = sutura officers list
help-officers-revoke = From now on this officer signs nothing more. It cannot be undone
help-officers-revoke-officer = The officer's name or number
example-officers-revoke = sutura officers revoke "Awa Diop"
# audit
help-audit = Verifies everything that was disclosed, without the broker, and reports it for legal officers and auditors
help-audit-export = Writes a signed bundle that an auditor verifies elsewhere. It holds no values
help-audit-bundle = Verifies such a bundle. No home and no passphrase are needed
help-audit-overlap = The overlap, or the beginning of it. Otherwise all
help-audit-trust = A fingerprint that the operator or a unit gave over another channel: it must be among the keys. May be repeated
example-audit = sutura audit --export sn-2026.audit
error-bundle = { $path } is no bundle that can be verified ({ $code }): it was cut off or changed, or a newer version made it. Ask the unit for it again.
audit-exported = Written: { $path }. Give it to the auditor with the fingerprints below, but not over the same channel.
audit-head = Audit of { $unit }, federation { $federation }, as of { $made }
audit-findings = DOES NOT VERIFY. Nothing that hangs on these is to be believed:
audit-exceptions = To be looked at:
audit-disclosure = Disclosure { $number } of { $count }: { $from } to { $to }, { $kind } ({ $way })
audit-kind-parcel = data handed over
audit-kind-urgent = data handed over urgently
audit-kind-journal = entries in a joint journal
audit-way-given = given
audit-way-received = received
audit-overlap = overlap
audit-package = package
audit-consent = consented
audit-sealed = disclosed by
audit-entries = journal entries (not shown)
audit-validation = validated by
audit-delay = { $minutes } minutes after sealing
audit-conditions = conditions accepted
audit-receipt = receipt
audit-none = NONE
audit-purpose = purpose
audit-offence = offence
audit-legal-basis = legal basis
audit-reference = reference
audit-threat = threat to life
audit-field = field
audit-reading = opened
audit-copy = copy
audit-copy-number = copy { $copy }
audit-recall = recalled
audit-deletion = deletion receipt
audit-manual = manual and accord
audit-step = step
audit-proof = in the log
audit-proven = entry { $entry }, under the checkpoint of { $size } entries, cosigned by { $units }
audit-not-proven = NOT PROVEN for every act that this hangs on
audit-by-time = a time limit
audit-by-agent = { $unit }, its agent
audit-coverage = What this covers:
audit-log = The log has { $size } entries. Seen of it: { $acts } acts and limits in { $cases } cases, { $officers } entries about officers, { $checkpoints } checkpoints; { $unproven } entries are newer than the last checkpoint.
audit-peer = { $unit }, epoch { $epoch }, by the unit's own word: { $evaluated } points evaluated for it, of { $quota } at most; { $compared } own tokens compared; { $overlaps } overlaps.
audit-compare = Compare these fingerprints with what the operator and each unit say by telephone or face to face. Without that, this report shows only that the bundle agrees with itself:
audit-limits = A unit exports its own bundle. It could leave out the end of a case, a last act that moved nothing, a whole case, readings, cosignatures of others, and a revocation; copies, objections, the numbers of matching and who signed the accord are its own word. That each checkpoint extends the one before was checked by the units that cosigned them, and cannot be shown here. Ask the other unit for its bundle too: both must show the same acts.
audit-nil = NIL CERTIFICATE. { $unit } gave nothing to any unit and received nothing, as far as its bundle shows; all of it verifies. Disclosures: { $disclosures }. To be looked at: { $exceptions }. Does not verify: { $findings }.
audit-good = VERIFIED. { $unit }: disclosures: { $disclosures }. To be looked at: { $exceptions }. Does not verify: { $findings }.
audit-good-but = VERIFIED, WITH EXCEPTIONS. { $unit }: disclosures: { $disclosures }. To be looked at: { $exceptions }. Does not verify: { $findings }.
audit-failed = NOT VERIFIED. { $unit }: disclosures shown: { $disclosures }. To be looked at: { $exceptions }. Does not verify: { $findings }. Stop relying on this bundle and ask the unit, and its peers, for theirs.
exception-receipt-missing = A parcel was neither opened nor recalled
exception-deletion-overdue = Deletion receipts are overdue
exception-deletion-late = The deletion receipts came late
exception-copy-without-receipt = A copy has no deletion receipt
exception-copy-not-noted = A copy was made and not noted
exception-reading-unjustified = Opened without a justification
exception-reading-out-of-time = Opened before the receipt, or after the recall
exception-urgent-without-validation = Urgent, and validated by no legal officer
exception-role-conflict = One person or one key in two places
exception-objection = The unit objects to what the other side said
exception-without-proof = Newer than the last checkpoint: no proof yet. Run sutura sync, and audit again
finding-bundle = The bundle is not signed by the unit that it names
finding-member = A member stands twice
finding-roster = A member did not sign its own keys
finding-key = No key has this fingerprint
finding-checkpoint = A checkpoint is not signed by the log and cosigned as it must be
finding-two = Two histories of the log: the broker showed different things, or a sender named a checkpoint that never was
finding-proof = The place of an entry in the log is not proven
finding-entry = An entry stands twice, or where it cannot stand
finding-entries = Entries are out of order
finding-sender = The sender is unknown, or its envelopes do not follow each other
finding-envelope = An envelope was changed, or is not signed by its sender
finding-kind = Something that does not belong into a case
finding-officer = A certificate or revocation of an officer does not hold
finding-accord = The accord of an act is missing, or was changed
finding-no-manual = The accord has no manual that can be used
finding-act = An act is malformed, out of place, or not signed by an officer in standing
finding-deadline = A time limit is out of place
finding-case = An act does not follow from the ones before it
finding-case-not-followed = Comes after an act that does not hold
finding-case-twice = A case stands twice
finding-manual = The manual forbids the act
finding-consent = The rules of consent forbid the act
finding-parcel = The rules of consent forbid the act
finding-validation = The legal officer who validated took part
finding-matter = What the officers said beside the act is missing, was changed, or is not what the manual asks for
finding-disclosure = The consents do not cover the disclosure
finding-reading = A reading is not signed by an officer, or of no package that the unit got
finding-other = This does not verify
