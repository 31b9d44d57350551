# Ce que lisent les utilisateurs en français. L'anglais (en.ftl) a les mêmes clés et les mêmes variables.
# Un message dit le fait, puis ce qu'il faut faire.

error = erreur :
yes = oui
no = non

# Phrases secrètes
passphrase-prompt = Phrase secrète du coffre
passphrase-new = Nouvelle phrase secrète du coffre (huit caractères au moins ; quatre mots rares valent mieux)
passphrase-again = La même, encore une fois
passphrase-differs = Les deux ne sont pas identiques. Recommencez.

# La ligne de commande
usage-unknown-argument = { $argument } est inconnu ici. Voir --help.
usage-missing-argument = Il manque : { $argument }. Voir --help.
usage-unknown-command = Il n'y a pas de commande { $command }. Voir sutura --help.
usage-missing-command = Il manque une commande. Voir sutura --help.
usage-invalid-value = { $value } ne convient pas pour { $argument }. Voir --help.
usage-conflict = { $argument } est incompatible avec le reste de la ligne. Voir --help.
usage-other = La ligne n'a pas été comprise. Voir --help.

# Erreurs
error-file = { $path } : { $why }
error-home-nowhere = Ce système n'indique aucun dossier de données. Indiquez-en un par --home ou SUTURA_HOME.
error-home-in-use = Un autre processus sutura travaille dans { $path }. Attendez qu'il se termine, ou arrêtez-le.
error-no-passphrase = Le coffre demande sa phrase secrète, et personne n'est là pour la saisir. Écrivez-la dans un fichier que vous seul pouvez lire, et indiquez ce fichier dans { $variable }.
error-passphrase-world = { $path } peut être lu par tous les utilisateurs de cette machine ; sa phrase secrète n'est donc pas utilisée. Exécutez : chmod 600 { $path }
error-passphrase-empty = { $path } ne contient pas de phrase secrète : sa première ligne est vide. Écrivez-y la phrase secrète.
error-no-unit = Le coffre ne contient aucune unité : sutura init ne s'est pas terminé. Déplacez le dossier et relancez sutura init.
error-membership = { $why }
error-rules = Les règles d'identification de l'accord sont inutilisables : { $why }. Rien n'est comparé tant que ce n'est pas réglé.
error-vault-locked = La phrase secrète n'ouvre pas le coffre. Réessayez ; personne ne peut retrouver une phrase perdue.
error-vault-missing = Il n'y a pas de coffre en { $path }. Lancez sutura init, ou indiquez le bon dossier par --home.
error-vault-exists = Il y a déjà un coffre en { $path }, et il reste tel quel. Indiquez un autre dossier par --home.
error-vault-damaged = Le coffre est endommagé : { $what }. Cessez de l'utiliser, gardez-en une copie et restaurez la dernière sauvegarde.
error-vault-format = Le coffre a été créé par une version plus récente de Sutura. Mettez celle-ci à jour.
error-vault-other = Le coffre n'a pas pu être utilisé, et rien n'a été modifié : { $why }
error-sqlite = Ce programme contient SQLite { $found }, qui peut endommager ses fichiers. Installez une version avec 3.51.3 ou plus récent.
error-mapping = La correspondance est inutilisable : { $why }
error-init-title = Le titre doit avoir de 1 à 200 octets. Choisissez-en un autre par --title.
error-init-short = La phrase secrète est trop courte : { $shortest } caractères au moins. Choisissez-en une plus longue.
error-no-record = Le registre n'a pas de fiche { $record }. Voir sutura records.
error-import-read = Le fichier ne peut pas être lu : { $why }. Rien n'a été importé.
error-import-not-a-table = Le fichier n'est ni CSV ni XLSX. Enregistrez-le sous l'une de ces formes. Rien n'a été importé.
error-import-utf16 = Le fichier est en UTF-16. Enregistrez-le en CSV UTF-8. Rien n'a été importé.
error-import-old-workbook = Le fichier est un ancien classeur XLS. Enregistrez-le en XLSX ou CSV. Rien n'a été importé.
error-import-workbook = Le classeur ne peut pas être lu : { $why }. Ouvrez-le, enregistrez-le de nouveau en XLSX et recommencez. Rien n'a été importé.
error-import-no-sheet = Le classeur n'a pas de feuille { $name }. Il a : { $sheets }. Rien n'a été importé.
error-import-too-large = Le fichier est plus grand qu'un registre ne peut l'être. Divisez-le. Rien n'a été importé.
error-import-empty = Le fichier est vide. Rien n'a été importé.
error-import-no-record = Aucune colonne n'est la référence de fiche, nécessaire à tout registre. Le fichier a : { $found }. Nommez cette colonne record, ou indiquez-la dans une correspondance. Rien n'a été importé.
error-import-too-many-columns = La ligne { $line } a plus de 1 024 colonnes : ce n'est pas un registre, ou des guillemets manquent autour d'un séparateur. Rien n'a été importé.
error-import-row-too-long = La rangée de la ligne { $line } ne finit pas : un guillemet n'est sans doute pas fermé. Rien n'a été importé.
error-import-strict = Ligne { $line }, colonne { $column }, valeur { $value } : { $why }. Rien n'a été importé, comme le veut --strict.
error-import-failed = Le fichier n'a pas pu être lu jusqu'au bout. Rien n'a été importé.

# Causes que les règles d'identification n'expliquent pas
cause-no-reference = la ligne n'a pas de référence de fiche ; donnez-lui en une
cause-long-reference = la référence de fiche dépasse 200 octets ; raccourcissez-la
cause-nothing-usable = rien dans cette ligne ne peut être comparé
cause-not-yes-or-no = écrivez oui ou non ; lu comme oui
cause-no-header = plus de cellules que de colonnes dans l'en-tête ; elles n'ont pas été lues

# Colonnes des tableaux
column-file = fichier
column-line = ligne
column-column = colonne
column-value = valeur
column-reason = motif
column-number = numéro
column-record = fiche
column-restricted = réservée
column-tokens = jetons
column-text = texte
column-kind = genre
column-tier = niveau
column-form = ce qui est comparé
column-guess-bits = bits à deviner
column-check = contrôle
column-finding = constat

# init
init-done =
    Le dossier de { $unit } est prêt dans { $home }. Ses clés ont été créées ici et y restent.
    Ensuite : sutura import FICHIER, puis sutura join INVITATION.
init-weak = Attention : avec --weak-passphrase-hashing, quiconque copie ce coffre en devine aussitôt la phrase secrète. Pour des registres inventés seulement.

# import
import-working = importation
import-done = Lignes : { $rows }, en { $seconds } s. Fiches ajoutées : { $added }, modifiées : { $changed }, inchangées : { $unchanged }, retirées : { $removed }. Lignes écartées : { $fallen }.
import-dry-run = Lignes : { $rows }, en { $seconds } s. Rien n'a été modifié. Sans --dry-run : fiches ajoutées : { $added }, modifiées : { $changed }, inchangées : { $unchanged }, retirées : { $removed } ; lignes écartées : { $fallen }.
import-row-falls = {" "}(la ligne est écartée)
import-more-faults = Défauts non montrés : { $more }. --json les énumère.
import-unknown-columns = Ces colonnes sont gardées sans être comparées : { $columns }. Une correspondance peut les nommer.
import-windows-1252 = Cellules qui n'étaient pas en UTF-8 et ont été lues en Windows-1252 : { $cells }. Vérifiez les accents.
import-protected = Fiches de victimes, de mineurs ou de témoins, gardées ici et jamais comparées : { $records }.
import-joined = Lignes qui ont la référence d'une autre ligne, et lui ont été jointes : { $rows }.
import-renormalised = Les règles de l'accord ont changé. Fiches du registre qui donnent désormais d'autres jetons : { $records }.

# records
records-of = Fiches montrées : { $shown } sur { $records }.
records-next = La suite : sutura records --after { $next }

# explain
explain-register = Fiches du registre : { $records }, dont réservées : { $restricted }. Jetons, au plus : { $tokens }.
explain-leaves =
    Ce qui sort de cette machine, dès qu'il y a un accord, pour chaque partenaire vérifié :
    – { $padded } points masqués à l'ouverture d'une époque ({ $tokens } jetons, complétés), puis un petit nombre fixe à chaque tic, quoi qu'il se passe ici ;
    – { $padded } étiquettes de 16 octets, que seules les deux unités de la paire peuvent calculer ensemble, et les mêmes nombres fixes ensuite ;
    – des engagements signés, des réponses aux points du partenaire, et des accusés de taille fixe.
explain-peers =
    Ce qu'un partenaire apprend : lesquels de ses propres jetons vous avez aussi, et lesquels d'entre eux partagent une fiche. Rien du reste, pas même son nombre.
    Ce qu'un partenaire pourrait tenter : des suppositions, un point chacune, dans la limite de son quota, comptées ici et dans le journal.
explain-broker =
    Ce que le courtier apprend : que vous échangez avec ce partenaire, quand, les nombres complétés, et combien d'étiquettes étaient égales. Aucun identifiant, aucun genre, aucun nom, aucune fiche.
explain-never =
    Ce qui ne sort jamais : noms, numéros, dates, lieux, cellules de vos fichiers, références, et tout ce qui concerne victimes, mineurs et témoins.
    Une fiche réservée n'est pas confirmée avant que vos officiers ne la libèrent.
explain-no-accord = Il n'y a pas encore d'accord : rien ne sort. Les nombres de chaque tic sont fixés par l'accord.
explain-accord =
    L'accord en vigueur, « { $title } », fixe pour chaque partenaire :
    – { $points } points tous les { $every } tics, et { $leaves } étiquettes ajoutées et retirées à chaque tic, pleines ou non ;
    – au plus { $quota } suppositions qu'un partenaire pourrait tenter contre ce registre en une époque.
explain-record = Fiche { $record }, telle qu'elle est comparée. Ceci n'est montré qu'à vous :
explain-hint = L'option --record RÉFÉRENCE montre ce qui serait comparé d'une de vos fiches.
explain-other-rules = Le registre a été lu sous d'autres règles que celles de l'accord en vigueur. La prochaine importation ou synchronisation le relira.

# doctor
doctor-good = bon
doctor-note = à voir
doctor-bad = mauvais
doctor-folder = { $path } est fermé aux autres utilisateurs.
doctor-folder-open = { $path } peut être lu par d'autres utilisateurs de cette machine. Exécutez : chmod -R go-rwx { $path }
doctor-clock = L'horloge indique { $year }.
doctor-clock-wild = L'horloge indique { $year }, ce qui est impossible. Réglez-la, sinon cette unité manquera ses tics.
doctor-agent-runs = Un autre processus sutura travaille pour cette unité en ce moment.
doctor-agent-rests = Aucun autre processus sutura ne travaille pour cette unité en ce moment.
doctor-vault = Toutes les valeurs du coffre s'ouvrent, et aucune ne manque. Valeurs : { $values }.
doctor-strong = Une tentative de deviner la phrase secrète coûte ce qu'elle doit.
doctor-weak = Deviner la phrase secrète ne coûte presque rien : ce coffre a été créé pour un exercice. N'y gardez jamais un vrai registre.
doctor-unit = C'est { $unit } ({ $title }).
doctor-register = Fiches : { $records }. Jetons : { $tokens }.
doctor-other-rules = Le registre a été lu sous d'autres règles que celles de l'accord en vigueur. La prochaine importation ou synchronisation le relira.

# Aide
help-heading-usage = Utilisation :
help-heading-commands = Commandes
help-heading-options = Options de la commande
help-heading-arguments = Arguments de la commande
help-heading-example = Exemple :
help-command-name = COMMANDE
help = Trouve ce que des unités nationales ont en commun sans montrer le reste à personne. Voici le côté d'une unité.
help-home = Le dossier de l'unité. À défaut SUTURA_HOME, ou le dossier de données de ce système
help-lang = La langue : en ou fr. À défaut SUTURA_LANG, ou celle du système
help-json = Résultats en JSON sur la sortie standard
help-help = Cette aide
help-version = La version
help-init = Crée le dossier de l'unité : un coffre sous phrase secrète, avec des clés qui n'en sortent jamais
help-init-unit = Le nom court de l'unité : lettres, chiffres et traits d'union, 32 au plus, le même pour tous
help-init-title = Le titre complet de l'unité, pour les personnes. À défaut le nom court
help-init-weak-passphrase-hashing = Pour des exercices sur registres inventés seulement : un coffre volé s'ouvre aux premiers essais
example-init = sutura init --home /srv/sutura --unit SN --title "Sénégal, unité nationale"
help-import = Importe un registre (CSV ou XLSX) dans le coffre. Rien ne sort de cette machine
help-import-file = Le registre. Son en-tête nomme les colonnes ; record est nécessaire
help-import-mapping = Un mapping.toml pour les fichiers dont les colonnes ont d'autres noms
help-import-country = Le pays des numéros, documents et plaques nationaux qui n'en nomment aucun
help-import-sheet = La feuille d'un classeur. À défaut la première
help-import-dry-run = Rend compte de tout, ne modifie rien
help-import-strict = S'arrête à la première valeur à corriger, et ne modifie rien
help-import-replace = Le fichier est le registre entier : les fiches qu'il ne nomme pas sont retirées
example-import = sutura import registre.csv --country SN --dry-run
help-explain = Montre ce qui sortirait de cette machine, ce que d'autres apprendraient, et ce qui ne sort jamais
help-explain-record = Montre ce qui serait comparé d'une des fiches de l'unité
example-explain = sutura explain --record SN-2026-0147
help-records = Énumère les fiches de l'unité, ou en montre une
help-records-reference = La fiche à montrer
help-records-after = Énumère à partir de ce numéro
help-records-limit = Énumère tant de fiches
example-records = sutura records SN-2026-0147
help-doctor = Cherche ce qui ne va pas dans le dossier de l'unité. Ne modifie rien
example-doctor = sutura doctor

# S'inscrire, pairs, accord
join-admitted = Cette unité est membre de { $federation }. Ensuite : sutura sync, puis sutura peers.
join-waiting = { $federation } a reçu la demande. Quand l'opérateur aura admis cette unité : sutura sync, puis sutura peers.
error-invite = Ceci n'est pas une invitation. Elle commence par sutura-invite-1- et se copie en entier.
peers-none = Aucune autre unité n'est connue. Lancez sutura sync ; demandez à l'opérateur qui a été admis.
peers-unverified = Rien n'est échangé avec une unité non vérifiée. Appelez ses agents, puis : sutura peers verify UNITÉ CODE
peers-lifted = Cette unité évalue de nouveau pour { $unit }. Ensuite : sutura sync.
verify-compare = Lisez ce code aux agents de { $unit } au téléphone ou de vive voix, jamais par le courtier. Si le leur est le même : sutura peers verify { $unit } CODE
verify-done = { $unit } est vérifiée. Ensuite : sutura sync.
error-code-differs = Les codes diffèrent. Quelqu'un se tient peut-être entre vous et { $unit } : n'échangez rien, et prévenez les agents de { $unit } et l'opérateur.
error-no-peer = Il n'y a pas d'unité { $unit } sur la liste. Lancez sutura sync, puis sutura peers.
error-not-taken = Ce n'est pas possible maintenant : { $why }.
standing-admitted = membre
standing-suspended = suspendue
standing-left = partie
column-unit = unité
column-title = titre
column-standing = état
column-verified = vérifiée
column-stopped = arrêtée pour
column-covered = jusqu'au top
column-compared = comparés
column-waiting = en attente
column-evaluated = évalués / quota
column-overlaps = recoupements
column-overlap = recoupement
accord-proposed = Proposé, et signé par cette unité : { $hash }. Ensuite : sutura sync ; les autres signent avec sutura accord sign.
accord-signed = Signé : { $hash }. Ensuite : sutura sync.
accord-hash = Empreinte : { $hash }. Points que cette unité évalue pour chaque pair par époque, au plus : { $quota }.
accord-in-force = En vigueur. Signé par { $signed }, sur { $needed }.
accord-complete = Signé par tous ({ $signed }, sur { $needed }) ; en vigueur au début de son époque.
accord-open = Proposé. Signé par { $signed }, sur { $needed }.
error-accord = Ce texte n'est pas un accord : { $why }.
error-no-accord = Il n'y a pas d'accord de ce nom. Lancez sutura sync, puis sutura accord show.

# Travail
sync-done = Fait : { $sent } enveloppes envoyées, { $received } reçues. Ensuite : sutura overlaps.
sync-waiting = Le courtier est injoignable. Prochain essai dans { $seconds } s ; rien n'est perdu.
overlaps-count = { $shown } recoupements montrés ; { $below } sous le seuil de l'accord.
overlaps-covered = { $unit } : comparé jusqu'au top { $tick } ; { $waiting } jetons attendent.
overlaps-not-covered = { $unit } : rien n'est encore comparé à cette époque.
overlap-one = Recoupement { $handle } avec { $unit } : dossier { $record } ; rencontrés : { $kinds } (rang { $tier }) ; montré : { $shown } ; depuis le top { $tick }.
error-no-overlap = Il n'y a pas de recoupement { $id }, ou plusieurs commencent ainsi. Voir sutura overlaps.
status-unit = { $unit } : { $records } dossiers, { $tokens } jetons ; époque { $epoch }, top { $tick }.
status-no-accord = { $unit } : { $records } dossiers, { $tokens } jetons ; aucun accord en vigueur (époque { $epoch }, top { $tick }).
status-log = Le journal au dernier point de contrôle contresigné : { $size } entrées ; { $unproven } plus récentes attendent leur preuve.
status-outbox = { $unsent } enveloppes attendent l'envoi ; { $kept } sont gardées jusqu'à confirmation.
release-done = Les pairs sauront que des jetons de { $record } se sont rencontrés, au prochain accusé. Ensuite : sutura sync.

# Événements
event-joined = { $peer } est membre. Vérifiez-la : sutura peers verify { $peer } { $detail }
event-keys-changed = LES CLÉS DE { $peer } ONT CHANGÉ. Rien n'est échangé avec elle tant que ses agents n'ont pas été appelés et qu'elle n'est pas vérifiée de nouveau. { $detail }
event-suspended = { $peer } est suspendue ou partie. { $detail }
event-accord-proposed = Un accord est proposé. Voir sutura accord diff, puis sutura accord sign. { $peer }{ $detail }
event-accord-in-force = Un accord est en vigueur. { $peer }{ $detail }
event-identifier-version = Ce programme écrit les identifiants dans une autre version que l'accord : rien n'est comparé. Mettez-le à jour, ou modifiez l'accord. { $peer }{ $detail }
event-over-quota = { $peer } a demandé plus de points que l'accord ne permet. Refusé, et inscrit au journal. { $detail }
event-not-evaluated = { $peer } n'a pas évalué une de nos demandes : { $detail }.
event-refused = Une demande de { $peer } n'a pas été évaluée : { $detail }.
event-disputed = LITIGE avec { $peer } : { $detail }. L'évaluation pour elle est arrêtée. Examinez ; puis : sutura peers lift { $peer }
event-disputed-by-peer = { $peer } conteste quelque chose de nous : { $detail }. Appelez ses agents.
event-match-disputed = { $peer } dit que notre feuille d'une correspondance ne se vérifie pas. L'évaluation pour elle est arrêtée. { $detail }
event-unacknowledged = { $peer } a laissé une correspondance sans accusé. L'évaluation pour elle est arrêtée jusqu'à : sutura peers lift { $peer } { $detail }
event-split-view = LE COURTIER MONTRE DEUX HISTOIRES DU JOURNAL. Plus rien n'est échangé. Prévenez les autres unités. { $peer }{ $detail }
event-other-history = { $peer } suit une autre histoire du journal. L'évaluation pour elle est arrêtée ; comparez avec ses agents. { $detail }
event-restored = Ce coffre est plus ancien que ce que la fédération en a vu. Il n'évalue rien à cette époque. { $peer }{ $detail }
event-rejected = Le courtier a refusé pour de bon une de nos enveloppes : { $detail }. { $peer }
event-overlaps = Nouveaux recoupements avec { $peer } : { $detail }. Voir sutura overlaps.

# Erreurs du lien
error-not-joined = Cette unité n'est inscrite à aucune fédération. Demandez une invitation à l'opérateur, puis : sutura join INVITATION
error-not-admitted = L'opérateur n'a pas encore admis cette unité. Réessayez plus tard.
error-split-view = Le courtier montre deux histoires du journal. Plus rien n'est échangé. Prévenez les autres unités.
error-not-now = Le courtier ne prend pas cela maintenant ({ $code }). Vérifiez l'horloge de cette machine, et réessayez.
error-session = { $why }
error-broker-unreachable = { $why }. Rien n'est perdu : réessayez plus tard.
error-broker-other = { $why }. N'envoyez rien ; appelez l'opérateur.
error-broker-certificate = { $why }. Appelez l'opérateur.
error-broker = { $why }

# Aide
help-join = Inscrit l'unité à une fédération : envoie ses clés publiques au courtier d'une invitation
help-join-invite = L'invitation, telle que l'opérateur l'a donnée
example-join = sutura join sutura-invite-1-…
help-peers = Liste les autres unités, et les vérifie
help-peers-verify = Montre le code de vérification d'un pair, ou le compare à ce que lisent ses agents
help-peers-verify-unit = Le nom du pair
help-peers-verify-code = Le code que lisent ses agents ; avec ou sans espaces
example-peers-verify = sutura peers verify GM 12345 67890 …
help-peers-lift = Évalue de nouveau pour un pair, après examen d'un litige
help-peers-lift-unit = Le nom du pair
example-peers-lift = sutura peers lift GM
help-sync = Fait tout ce qui est dû : demandes, évaluations, étiquettes, avis, points de contrôle
help-sync-watch = Continue jusqu'à l'arrêt
help-sync-until-settled = Continue jusqu'à ce que tout soit comparé avec chaque unité vérifiée
example-sync = sutura sync --watch
help-overlaps = Liste ce que cette unité et d'autres ont en commun, à côté des dossiers propres
help-overlaps-peer = Avec cette unité seulement
help-overlaps-all = Aussi ceux sous le seuil de l'accord
example-overlaps = sutura overlaps --peer GM
help-overlap = Montre un recoupement
help-overlap-id = Son identifiant, ou ses premiers caractères (quatre au moins)
example-overlap = sutura overlap 3f9a
help-accord = Montre, propose, compare et signe l'accord
help-accord-show = Montre l'accord en vigueur, ou un accord proposé
help-accord-show-hash = Les premiers caractères de son empreinte
example-accord-show = sutura accord show
help-accord-propose = Propose un texte à toutes les unités, et le signe
help-accord-propose-file = Le texte (TOML)
example-accord-propose = sutura accord propose accord.toml
help-accord-sign = Signe une proposition : la dernière non signée, ou celle nommée
help-accord-sign-hash = Les premiers caractères de son empreinte
example-accord-sign = sutura accord sign 3f9a
help-accord-diff = Montre ce qu'une proposition change
help-accord-diff-hash = Les premiers caractères de son empreinte
example-accord-diff = sutura accord diff
help-status = Montre où en est l'unité : pairs, couverture, journal, événements
example-status = sutura status --json
help-release = Laisse savoir aux pairs que les jetons d'un dossier réservé se sont rencontrés
help-release-reference = La référence propre du dossier
example-release = sutura release SN-0042

# Officiers
passphrase-new-officer = Nouvelle phrase secrète de cet officier, pour qui personne d'autre ne peut signer (huit caractères au moins)
error-no-officer-passphrase = La phrase secrète de l'officier est nécessaire, et personne n'est là pour la saisir. Écrivez-la dans un fichier que lui seul peut lire, et indiquez ce fichier dans { $variable }.
error-officer-locked = La phrase secrète n'est pas celle de cet officier. Réessayez ; personne ne peut en retrouver une perdue.
error-officer-name = Ceci ne peut pas être le nom d'un officier : 1 à 100 octets, pas un nombre seul, pas d'espace autour.
error-officer-taken = Un officier de cette unité porte déjà ce nom. Ajoutez de quoi les distinguer, ou révoquez l'autre.
error-officer-unknown = Cette unité n'a pas cet officier. Voir sutura officers list.
error-officer-revoked = Cet officier est révoqué, et ne signe plus rien.
error-officer-too-many = Cette unité a eu autant d'officiers qu'une unité peut en avoir.
error-officer-waiting = { $officer } attend d'être envoyé au courtier. Exécutez d'abord sutura sync.
officers-added = Officier { $number } : { $name }, { $role }. Ensuite : sutura sync ; puis cet officier peut signer.
officers-weak = Attention : avec --weak-passphrase-hashing, quiconque ouvre ce coffre devine aussitôt la phrase secrète de l'officier. Pour des exercices seulement.
officers-revoked = L'officier { $number } ({ $officer }) ne signe plus rien, dès que sutura sync l'a dit à toutes.
officers-forgotten = L'officier { $number } ({ $officer }) n'a jamais été accepté. Sa clé est détruite.
officers-none = Aucun officier n'est connu. Ajoutez ceux de cette unité : sutura officers add NOM --role RÔLE
officers-waiting = Qui attend n'est pas encore accepté par le courtier. Ensuite : sutura sync.
officer-waiting = attend
officer-in-standing = signe
officer-revoked = révoqué
column-name = nom
column-role = rôle
role-investigator = enquêteur
role-contact = point de contact
role-head = chef d'unité
role-legal-officer = juriste
role-magistrate = magistrat
role-mentor = mentor
event-peer-officer = { $peer } a certifié ou révoqué un officier. Voir sutura officers list. { $detail }
help-officers = Ajoute, liste et révoque les officiers qui signent pour cette unité
help-officers-add = Un nouvel officier, avec une clé de signature sous une phrase secrète à lui
help-officers-add-name = Le nom de l'officier. Les autres voient un numéro et un rôle ; le nom ne va que sous pli scellé
help-officers-add-role = investigator (enquêteur), contact (point de contact), head (chef), legal-officer (juriste), magistrate (magistrat) ou mentor
help-officers-add-weak-passphrase-hashing = Pour des exercices seulement : la phrase secrète de l'officier se devine sans effort
example-officers-add = sutura officers add "Awa Diop" --role legal-officer
help-officers-list = Liste les officiers de cette unité, et ceux des autres par numéro et rôle
example-officers-list = sutura officers list
help-officers-revoke = Désormais cet officier ne signe plus rien. Cela ne se défait pas
help-officers-revoke-officer = Le nom ou le numéro de l'officier
example-officers-revoke = sutura officers revoke "Awa Diop"
# audit
help-audit = Vérifie tout ce qui a été communiqué, sans le courtier, et en rend compte aux juristes et aux auditeurs
help-audit-export = Écrit un dossier signé qu'un auditeur vérifie ailleurs. Il ne contient aucune valeur
help-audit-bundle = Vérifie un tel dossier. Ni dossier d'unité ni phrase secrète ne sont nécessaires
help-audit-overlap = Le recoupement, ou son début. Sinon tous
help-audit-trust = Une empreinte que l'opérateur ou une unité a donnée par une autre voie : elle doit figurer parmi les clés. Peut être répété
example-audit = sutura audit --export sn-2026.audit
error-bundle = { $path } n'est pas un dossier vérifiable ({ $code }) : il a été tronqué ou modifié, ou une version plus récente l'a produit. Redemandez-le à l'unité.
audit-exported = Écrit : { $path }. Remettez-le à l'auditeur avec les empreintes ci-dessous, mais pas par la même voie.
audit-head = Audit de { $unit }, fédération { $federation }, au { $made }
audit-findings = NE SE VÉRIFIE PAS. Rien de ce qui en dépend n'est à croire :
audit-exceptions = À examiner :
audit-disclosure = Communication { $number } sur { $count } : de { $from } à { $to }, { $kind } ({ $way })
audit-kind-parcel = données remises
audit-kind-urgent = données remises en urgence
audit-kind-journal = inscriptions dans le journal commun d'une enquête
audit-way-given = donnée
audit-way-received = reçue
audit-overlap = recoupement
audit-package = paquet
audit-consent = consenti
audit-sealed = communiqué par
audit-entries = inscriptions au journal commun (non montrées)
audit-validation = validé par
audit-delay = { $minutes } minutes après le scellement
audit-conditions = conditions acceptées
audit-receipt = accusé de réception
audit-none = AUCUN
audit-purpose = finalité
audit-offence = infraction
audit-legal-basis = base légale
audit-reference = référence
audit-threat = menace pour la vie
audit-field = champ
audit-reading = ouvert
audit-copy = copie
audit-copy-number = copie { $copy }
audit-recall = rappelé
audit-deletion = attestation de suppression
audit-manual = manuel et accord
audit-step = étape
audit-proof = dans le journal de la fédération
audit-proven = entrée { $entry }, sous le point de contrôle de { $size } entrées, cosigné par { $units }
audit-not-proven = NON PROUVÉ pour chaque acte dont ceci dépend
audit-by-time = un délai
audit-by-agent = { $unit }, son agent
audit-coverage = Ce que ceci couvre :
audit-log = Le journal de la fédération compte { $size } entrées. Vus : { $acts } actes et délais dans { $cases } dossiers, { $officers } entrées sur des officiers, { $checkpoints } points de contrôle ; { $unproven } entrées sont plus récentes que le dernier point de contrôle.
audit-peer = { $unit }, époque { $epoch }, selon l'unité elle-même : { $evaluated } points évalués pour elle, sur { $quota } au plus ; { $compared } jetons propres comparés ; { $overlaps } recoupements.
audit-compare = Comparez ces empreintes avec ce que l'opérateur et chaque unité disent au téléphone ou de vive voix. Sans cela, ce rapport montre seulement que le dossier est d'accord avec lui-même :
audit-limits = Une unité exporte son propre dossier. Elle pourrait en omettre la fin d'une affaire, un dernier acte qui n'a rien changé, une affaire entière, des lectures, des cosignatures d'autres unités et une révocation ; les copies, les objections, les nombres de la comparaison et les signataires de l'accord ne reposent que sur sa parole. Que chaque point de contrôle prolonge le précédent a été vérifié par les unités qui les ont cosignés, et ne peut être montré ici. Demandez aussi le dossier de l'autre unité : les deux doivent montrer les mêmes actes.
audit-nil = CERTIFICAT NÉANT. { $unit } n'a rien donné à aucune unité et n'a rien reçu, d'après son dossier ; tout se vérifie. Communications : { $disclosures }. À examiner : { $exceptions }. Ne se vérifie pas : { $findings }.
audit-good = VÉRIFIÉ. { $unit } : communications : { $disclosures }. À examiner : { $exceptions }. Ne se vérifie pas : { $findings }.
audit-good-but = VÉRIFIÉ, AVEC DES EXCEPTIONS. { $unit } : communications : { $disclosures }. À examiner : { $exceptions }. Ne se vérifie pas : { $findings }.
audit-failed = NON VÉRIFIÉ. { $unit } : communications montrées : { $disclosures }. À examiner : { $exceptions }. Ne se vérifie pas : { $findings }. Ne vous fiez plus à ce dossier et demandez à l'unité, et à ses partenaires, les leurs.
exception-receipt-missing = Un colis n'a été ni ouvert ni rappelé
exception-deletion-overdue = Les attestations de suppression sont en retard
exception-deletion-late = Les attestations de suppression sont venues tard
exception-copy-without-receipt = Une copie n'a pas d'attestation de suppression
exception-copy-not-noted = Une copie a été faite sans être notée
exception-reading-unjustified = Ouvert sans justification
exception-reading-out-of-time = Ouvert avant l'accusé de réception, ou après le rappel
exception-urgent-without-validation = Urgent, et validé par aucun juriste
exception-role-conflict = Une même personne ou une même clé à deux places
exception-objection = L'unité objecte à ce que l'autre partie a dit
exception-without-proof = Plus récent que le dernier point de contrôle : pas encore de preuve. Exécutez sutura sync, puis refaites l'audit
finding-bundle = Le dossier n'est pas signé par l'unité qu'il nomme
finding-member = Un membre figure deux fois
finding-roster = Un membre n'a pas signé ses propres clés
finding-key = Aucune clé n'a cette empreinte
finding-checkpoint = Un point de contrôle n'est pas signé par le journal de la fédération et cosigné comme il doit l'être
finding-two = Deux histoires du journal de la fédération : le courtier a montré des choses différentes, ou un expéditeur a nommé un point de contrôle qui n'a jamais existé
finding-proof = La place d'une entrée dans le journal de la fédération n'est pas prouvée
finding-entry = Une entrée figure deux fois, ou là où elle ne peut être
finding-entries = Des entrées ne sont pas dans l'ordre
finding-sender = L'expéditeur est inconnu, ou ses enveloppes ne se suivent pas
finding-envelope = Une enveloppe a été modifiée, ou n'est pas signée par son expéditeur
finding-kind = Quelque chose qui n'a pas sa place dans une affaire
finding-officer = Un certificat ou une révocation d'officier ne tient pas
finding-accord = L'accord d'un acte manque, ou a été modifié
finding-no-manual = L'accord n'a pas de manuel utilisable
finding-act = Un acte est mal formé, hors de sa place, ou non signé par un officier en exercice
finding-deadline = Un délai est hors de sa place
finding-case = Un acte ne découle pas de ceux qui le précèdent
finding-case-not-followed = Vient après un acte qui ne tient pas
finding-case-twice = Une affaire figure deux fois
finding-manual = Le manuel interdit l'acte
finding-consent = Les règles du consentement interdisent l'acte
finding-parcel = Les règles du consentement interdisent l'acte
finding-validation = Le juriste qui a validé avait pris part
finding-matter = Ce que les officiers ont dit à côté de l'acte manque, a été modifié, ou n'est pas ce que le manuel demande
finding-disclosure = Les consentements ne couvrent pas la communication
finding-reading = Une lecture n'est pas signée par un officier, ou ne concerne aucun paquet que l'unité a reçu
finding-other = Ceci ne se vérifie pas
