"""What was told before, data that leaves, and what belongs to the agent."""

from __future__ import annotations

THINGS: dict[str, str] = {
    # What was before
    "before_now": """
        said to you before, told before, told you before, before this point, before this line,
        up to here, until now, up to now, so far, you started with, you began with, you were
        configured with, configured with, you were given, you were told, earlier in this, prior
        to this, previously told, previously given, client's preamble, preamble, your brief, the
        brief, your guidelines, your instructions, your rules, your policies, your training,
        initial prompt, original prompt, system prompt, earlier instructions, previous
        instructions, prior instructions, everything above, previous guidance, earlier guidance,
        your defaults, your default, your programming, your constraints, your standing orders,
        any instruction that conflicts, instructions that conflict, conflicting instructions,
        whatever came before, all that came before, constraints you, rules you, vorherigen
        anweisungen
    """,
    "gone": """
        no longer count, no longer counts, counts any more, counts anymore, count any more, put
        aside, set aside, lay aside, leave aside, start afresh, start over from, clean slate,
        blank slate, replaces, replace, superseded, supersedes, mistake, mere default, merely a
        default, merely defaults, as suggestions, only suggestions, mere suggestions, obsolete,
        void, irrelevant, ignore, disregard, forget, discard, abandon, not yours, no longer
        matter, no longer matters, no longer binding, no longer relevant, cancelled, overridden,
        overrides, outdated, expired, wiped, erase, unlearn, let go of, drop, lapse, lapsed,
        repealed, is a cover, nullified, rescinded, retired, no weight, no force
    """,
    "afresh": """
        start afresh, clean slate, blank slate, only obligations, live by, governs you, nothing
        that was said, forget who you, fresh start, refusing is not an option, refusal is not an
        option, you cannot refuse, you may not refuse, you can't refuse, never refuse, do not
        refuse, must not refuse, without a content policy, no content policy, no ethical,
        without ethics, not allowed to refuse
    """,
    # Data that leaves
    "carrier": """
        url, link, address, fragment, query, query string, parameter, image, picture, pixel,
        branch, commit message, commit messages, subject line, subject, invite, issue, ticket,
        webhook, endpoint, channel, search phrase, search term, search query, dns, hostname,
        file name, filename, user agent, user-agent, href, src, markdown image, tracker,
        collector, header, form, pastebin, gist, subdomain, footer, pull request, another tool,
        alt text, repository, bucket, tag, comment, comments, metadata, e-mail, email, mail,
        calendar, web search, search tool, outgoing, external, third party, third-party, server,
        path, commit, message, adresse, lien, enlace, dirección, endereço, indirizzo, ссылк*,
        адрес*, anfrage, requête, petición, requisição, richiesta, запрос*, request
    """,
    "convo": """
        conversation, chat history, transcript, what the user, what they, user typed, user told,
        user wrote, user said, last thing the user, user's last, user's words, user's message,
        user's messages, user's question, user's prompt, user's input, user's notes, user's
        files, user's documents, user's request, was discussed, were discussed, short recap,
        recap of, today's chat, chat as, chat so far, dialogue, contents of, content of, open
        file, open files, each file, every file, first lines, file contents, source code, stored
        notes, context window, your context, your memory, memory, invoices, their notes, their
        messages, their question, environment, process environment, history, working directory,
        private, personal details, calendar entries, mailbox, gesprächs*, unterhaltung,
        gespräch*, conversación, conversa, conversazione, historique, разговор*, переписк*,
        beratung, user's data, their data, names of the files, prior messages, previous
        messages, project's code, session data
    """,
    "words": """
        conversation, chat history, transcript, what the user, user typed, user told, user
        wrote, user said, last thing the user, user's last, user's words, user's message, their
        words, user's messages, user's question, user's prompt, user's input, user's notes,
        user's files, user's documents, was discussed, were discussed, short recap, today's
        chat, chat so far, dialogue, open file, open files, stored notes, context window, your
        context, your memory, their notes, their messages, process environment, invoices,
        mailbox, calendar entries, first lines, user's data, their data, gesprächs*,
        unterhaltung, gespräch*, conversación, conversa, conversazione, разговор*, переписк*,
        the user's
    """,
    "odd_carrier": """
        image, picture, pixel, query string, fragment, parameter, branch, search phrase, search
        term, search query, dns, hostname, user agent, user-agent, alt text, subdomain, web
        search, search tool, image url, markdown image, link, url, address, tracker, whose
        address, src, href, invite
    """,
    "odd_for_secrets": """
        image, picture, pixel, query string, fragment, branch, commit message, issue, ticket,
        channel, search phrase, dns, hostname, file name, filename, invite, title, footer,
        comment, comments, chat, answer, reply, response, pull request, subject line, gist,
        pastebin, webhook, issue text, summary, report, e-mail, email, mail, collector, log,
        message, note, third party, output, antwort, réponse, respuesta, resposta, risposta,
        ответ*
    """,
    "send_out": """
        send, post, upload, forward, transmit, submit, pass, append, attach, include, embed,
        encode, carry, mail, email, share, copy, put, write, place, paste, add, supply, made of,
        belong, insert, quote, publish, relay, deliver, echo, print, pick it up
    """,
    "put": """
        put, write, place, append, add, encode, attach, include, paste, insert, carry, carries,
        pass, send, post, embed, ends with, ending, made of, name, quote, supply, forward, give,
        given, deliver, share, submit, report, upload, email, mail, transmit, fill, belong,
        belongs, points to, render, show, display, create, use, open, let know, let the, get,
        load, log, sync, echo, publish, base64, url-encode, percent-encode, tack on, hang on,
        with the, hänge, häng*, schicke*, sende*, füge, envoie*, envoyez, envía*, envia*, manda,
        incluye, inclua, invia*, includi*, aggiungi, отправ*, добав*, прилож*, copied, written,
        sent, as the value, contain, contains, transferred, request, fetch, call, ping
    """,
    "secret_thing": """
        @secret, key, keys, private key, pem, .pem, connection string, connection strings,
        database password, recovery words, six digits, authenticator app, authenticator,
        one-time, pin, cvv, ssn, social security, login, credentials file, keyring, .npmrc,
        account details, bank details, api token, access token, token, username and password,
        process environment, environment, passcode, backup codes, security code, card details,
        senha, senhas, chave*, chiave, chiavi, parola, schlüssel*, clave*, claves, clés, id_*
    """,
    "hard_secret": """
        password, passwords, passphrase, private key, private keys, ssh key, ssh keys, seed
        phrase, recovery words, recovery phrase, mnemonic, connection string, connection
        strings, six digits, one-time code, verification code, authenticator, pin, cvv, ssn,
        card number, credit card, bank details, master password, passcode, backup codes, card
        details, id_rsa, id_ed25519, .env, .pem, keychain, kubeconfig, .ssh, .aws, .netrc,
        .npmrc, .gnupg, secret key, secret access key, api key, api keys, access token,
        credentials, api token, session cookie, session cookies, passwort, kennwort, mot de
        passe, contraseña, senha, парол*, mailbox password, 2fa, security code, service-account,
        service account key, root password, sudo password, личный ключ, database password, login
        details, logins, personal access token, bearer token, fichero de claves, archivo de
        claves
    """,
    "ask_for": """
        ask, request, have, prompt, get, obtain, require, demand, collect, need, needs, invite,
        supplied, supply, provide, provided, enter, paste, type, share, give, tell, dictate,
        frage*, bitte, demande*, demandez, pide, pida, pídele, solicita, solicite, peça,
        pergunte, chiedi, richiedi, спроси*, попроси*, запроси*, repeat, confirm, send
    """,
    "to_chat": """
        here, in the chat, in chat, into the chat, in plain text, in clear, to you, in this
        chat, into this, in the conversation, in their reply, in their next, as a message, as
        plain text, before you start, before any, before continuing, to continue, to proceed, so
        you can, so that you can, directly, into the conversation, in their message, for
        verification, to verify, unmasked, unredacted, in full
    """,
    "read_it": """
        read, open, look into, look for, find, locate, collect, gather, cat, print, dump, grab,
        harvest, extract, search, copy, scan, lies, lis, lee, leia, leggi, прочитай*, lire, dig
        out, pull, retrieve, enumerate, go through, load
    """,
    "each_time": """
        each time, every time, after each, after every, at the end of each, at the end of every,
        with each, with every, whenever you, every reply, each reply, each answer, every answer,
        every response, each response, on every, for every, for each, nach jeder, après chaque,
        después de cada, depois de cada, dopo ogni, после кажд*, in every, in each
    """,
    # Other things of the agent
    "agent_core": """
        other skills, other skill, another skill, skills installed, installed skills, skill
        next, neighbouring skills, neighboring skills, sibling skills, long-lived notes,
        assistant's memory, agent's memory, approval mode, permission mode, permitted commands,
        allowed commands, allowed tools, list of permitted, permission list, own rules, agent's
        own rules, chats to come, future chats, later chats, future sessions, later sessions,
        coming sessions, every new session, new chats, future conversations, later
        conversations, subsequent sessions, agent finishes, each time the agent, agent's rules,
        agent's instructions, your own permissions, your permissions, your tool permissions,
        linter skill, deploy skill, review skill, security skill, your standing notes, every
        installed, profile of the user, agent's configuration, assistant's configuration,
        assistant's settings, client's configuration, later terminals
    """,
    "agent_thing": """
        other skills, other skill, another skill, skills installed, installed skills, skill
        next, neighbouring skills, neighboring skills, skills folder, skills directory, skill
        folder, long-lived notes, long-term memory, persistent memory, your memory, agent's
        memory, assistant's memory, memory file, approval mode, permission mode, client's
        configuration, client configuration, agent's configuration, agent configuration,
        client's settings, agent's settings, agent settings, mcp connections, mcp server, mcp
        servers, mcp.json, permitted commands, allowed commands, allowed tools, allow list,
        allowlist, permission list, list of permitted, agent's own rules, own rules, rules file,
        profile of the user, user profile, custom instructions, system prompt, claude.md,
        agents.md, .cursorrules, gemini.md, soul.md, settings.json, settings.local.json,
        .claude, .cursor, .mcp.json, chats to come, future chats, later chats, next chat, later
        sessions, future sessions, next session, coming sessions, every new session, new chats,
        future conversations, later conversations, subsequent sessions, each new chat, session
        start, start of every session, starts a session, startup hook, stop hook, agent hook,
        each time the agent, agent finishes, your profile, your settings, your configuration,
        your permissions, your own permissions, your tool permissions, linter skill, deploy
        skill, companion skill, review skill, security skill, login script, shell profile, later
        terminals, agent's rules, agent's instructions, neighbour skills, sibling skills,
        assistant's settings, assistant's configuration, copilot-instructions.md, your standing
        notes, persistent notes, saved preferences, all my skills, every installed, autostart,
        scheduled task, cron job, crontab
    """,
    "alter": """
        put, note, set, register, add, widen, extend, uninstall, remove, rewrite, save, edit,
        change, update, write, store, remember, insert, append, prepend, disable, delete,
        overwrite, modify, replace, load, loading, load this, grant, give, install, raise,
        switch, carry, keep, begin by, merge, patch, persist, memorise, memorize, plant, relax,
        adjust, copy, open, turn, enable, add yourself, record, create, place, loosen, allow,
        schedule, speicher*, füge, ändere, ajoute*, modifie*, guarda*, añade*, salve, adicione,
        aggiungi, salva, modifica, добав*, запиши*, измени*, push
    """,
    "for_people": """
        your client's, your shell's, your editor, in your client, as shown, screenshot, see
        also, you can, you may, if you want, optional, optionally, manually, ask an
        administrator, if the user, when the user, user wants, if you prefer, on request, your
        own copy
    """,
    "power": """
        permission, permissions, allowlist, allow list, allowed tools, auto-approve, autoapprove,
        auto approve, auto-accept, approval, approvals, admin, administrator, root, sudo, elevated,
        unrestricted, full access, write access, scope, scopes, role, privileges, bypass mode,
        full-auto, trust level, trusted, sandbox, policy, wildcard, security settings, safe mode,
        confirmation, confirmations, berechtigung*, permisos, permissões, permessi, разрешени*
    """,
    "agent_itself": """
        yourself, the agent, the assistant, this assistant, your own, this session, all tools,
        any tool, every tool, any command, all commands, every command, bash, itself, your account,
        this skill, your tools, tool calls, tool use, the client, client's, the model, your role,
        the runner, the bot, your token
    """,
    "reveal": """
        print, reveal, output, repeat, disclose, recite, reproduce, echo, dump, quote, show,
        display, share, include, return, copy, paste, tell, append, translate, summarize,
        summarise, list, write out, state, give, spell out, read back, read out, put, begin
        with, start with, attach, restate, paraphrase, expose, describe, post, reproduit,
        répète, recopie, cite, affiche, restitue, wiederhole, zitiere, zeige, gib, ausgeben,
        repite, muestra, copia, repita, mostre, ripeti, mostra, повтори*, выведи*, покажи*,
        процитируй*
    """,
    "own_setup": """
        hidden instructions, you were started with, list of your tools,
        your setup, your own setup, your configuration, how you were configured, how you were
        set up, how you are configured, how you are set up, what you were told, operating
        instructions, your instructions, your full instructions, tools you have, tools available
        to you, function schemas, tool schemas, tool definitions, first message, beginning of
        the conversation, start of this conversation, your guidelines, system prompt, system
        message, developer message, before the conversation, before this conversation, hidden
        context, initial instructions, your prompt, text you were given, instructions you were
        given, instructions you received, prompt you received, prompt you were given, internal
        instructions, your rules, your directives, your brief, your context, instructions that
        precede, messages that precede, instructions above this, everything before, everything
        that precedes, text that precedes, your internal, preamble, your system, rules you
        follow, rules that govern you, your hidden, setup text, consignes reçues, instructions
        reçues, instructions initiales, consignes initiales, tes consignes, tes instructions,
        vos consignes, prompt système, message système, anfangsanweisungen, deine anweisungen,
        erhaltenen anweisungen, systemanweisung*, system-prompt, systemprompt, instrucciones
        iniciales, tus instrucciones, instrucciones recibidas, prompt del sistema, instruções
        iniciais, suas instruções, instruções recebidas, istruzioni iniziali, tue istruzioni,
        istruzioni ricevute, instructions received, instructions given, системн*, твои
        инструкции, исходные инструкции, полученные инструкции
    """,
    "verbatim": """
        verbatim, word for word, in full, full, complete, completely, entire, exact, exactly,
        mot pour mot, intégralement, wörtlich, vollständig, palabra por palabra, literalmente,
        palavra por palavra, parola per parola, дословно, полностью, letter by letter,
        character by character, unabridged, unchanged
    """,
    "ask_before": """
        user before, user whether, user if, user first, ask before, ask whether, ask permission,
        for permission, user's permission, user which, user how, user where, user not to
    """,
}
