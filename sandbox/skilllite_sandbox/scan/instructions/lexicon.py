"""The words that requests are made of, in the languages that most skills are written in. Pure.

A concept is a set of words that can stand for each other in a request. An entry that ends in `*`
stands for every word that begins so; an entry of several words stands for them in that order.
"""

from __future__ import annotations

_TEXT: dict[str, str] = {
    "void": """
        no longer apply, no longer applies, no longer valid, are cancelled, are obsolete,
        are void, are outdated, are suspended, are revoked, do not apply, is void, is cancelled,
        is suspended, are lifted, as void, as obsolete, as cancelled, as deprecated, as invalid,
        are invalid, is invalid, is superseded, are superseded, superseded by, is revoked,
        hereby revoked, hereby void, are overridden, is overridden, are replaced,
        is replaced by, are withdrawn, is withdrawn, do not exist, does not exist, don't exist,
        are hereby revoked, no longer binding, no longer count, constraints lifted
    """,
    "destination": """
        webhook, endpoint, server, collector, remote, telemetry, analytics, external, address,
        host, bucket, pastebin, gist, discord, telegram, slack, domain, callback, backend,
        dashboard, relay, listener, channel, service, us, hook, servidor, serveur, сервер*
    """,
    "self": """
        this skill, this file, this package, this document, this plugin, this folder,
        this content, this code, this script, this text, this repository, this module,
        this tool, this readme, this skill's, the skill, this directory, the contents,
        this markdown, everything here, these files, content below, text below,
        everything below, content above, this project, this bundle, rest of this
    """,
    "override": """
        ignore, ignores, ignoring, disregard, disregards, forget, override, overrides, overrule,
        supersede, supersedes, discard, bypass, set aside, put aside, no longer apply,
        pay no attention, stop following, cease following, take precedence over,
        takes precedence over, take priority over, replace all, replaces all, nullify, abandon,
        drop all, throw out, neglect, dismiss, unlearn, invalidate, void, not bound by, outrank,
        outranks, no longer valid, are cancelled, are obsolete, are outdated, are void,
        are suspended, are revoked, do not apply, ignora*, olvida, olvide, descarta*,
        ignoriere*, vergiss, vergessen sie, missachte*, ignorez, oubliez, oublie,
        ne tiens pas compte, ne tenez pas compte, игнорируй*, забудь*, отмени*, ignorieren sie,
        ignore as, esqueça, desconsidere, do not follow your, don't follow your,
        no longer follow, irrelevant, do not comply with, don't comply with, do not obey,
        don't obey, not obey, stop obeying, stop observing
    """,
    "prior": """
        previous, previously, prior, earlier, above, preceding, existing, original, foregoing,
        initial, former, so far, before this, up to now, other, any, all, every, your, system,
        default, anterior*, previa*, vorherige*, vorherigen, bisherige*, alle, todas, todos,
        précédent*, toutes, tous, предыдущ*, прежн*, все, всё, everything, you received,
        operator, tus, deine, deinen, tes, твои, tuas, suas, user's, vorher
    """,
    "rules": """
        instruction, instructions, directive, directives, rules, guidelines, guideline, prompt,
        prompts, policy, policies, guardrails, guardrail, constraints, restrictions,
        limitations, orders, system message, system messages, safeguards, training, programming,
        guidance, commands, instruccion*, reglas, anweisung*, regeln, vorgaben, consignes,
        règles, инструкци*, указани*, правила, istruzioni, instruções, regras, were told,
        you were told, been told, been given, were given, wishes, gesagt,
        your default behaviour, your default behavior
    """,
    "tell": """
        tell, telling, mention, mentioning, mentioned, reveal, revealing, inform, informing,
        show, showing, disclose, disclosing, report, reporting, notify, notifying, alert,
        alerting, say, explain, explaining, acknowledge, display, expose, announce, describe,
        reference, bring up, let know, refer to, raise, surface, include in your summary, list,
        discuss, warn, warning, digas, menciones, informes, muestres, erwähne*, sage, sag,
        informiere*, zeige, mentionne*, dis, dites, informe*, montre, говори*, сообщай*,
        упоминай*, показывай*, рассказывай*
    """,
    "user": """
        user, users, human, person, operator, anyone, nobody, usuario, benutzer, nutzer,
        anwender, utilisateur, пользовател*, l'utilisateur, humans, reviewer
    """,
    "covert": """
        silently, quietly, secretly, covertly, discreetly, stealthily, unnoticed, in secret,
        hidden from, out of sight, keep this confidential, keep this secret, keep it secret,
        between us, behind the scenes, without telling, without informing, without mentioning,
        without notifying, without alerting, without disclosing, without the user,
        without anyone, without revealing, no trace, leave no trace, cover your tracks,
        without drawing attention, invisible to the user, hide this, conceal, conceals,
        kept from the user, under the radar, without reporting, does not need to know,
        do not need to know, need not know, should not know, must not know, not be told,
        not be informed, unbeknownst, without their knowledge, without his knowledge,
        without acknowledgement, silenciosamente, en secreto, sin decir*, sin informar,
        heimlich, stillschweigend, ohne zu erwähnen, unbemerkt, secrètement, discrètement,
        sans informer, sans le dire, silencieusement, тайно, незаметно, скрытно, молча, втайне,
        not be shown to the user, not let the user, don't let the user, not let anyone,
        not let them, without the user noticing, keep this step, keep this quiet,
        keep this hidden, no need to inform, no need to tell, no need to mention,
        no need to notify, nobody needs to know, no one needs to know, must stay between,
        keep it between, never bring it up, not bring it up, deny that, deny having,
        from the transcript, from the chat history, without announcing, without announcement,
        out of the transcript, does not notice, do not notice, won't notice, will not notice,
        never find out, must not find out, should not find out, not find out, never learn,
        never know
    """,
    "not": """
        not, don't, dont, never, no, without, avoid, cannot, can't, must't, shouldn't, won't,
        isn't, refuse, refrain, forbidden, prohibited, nunca, jamás, niemals, nie, nicht, kein*,
        ohne, jamais, никогда, не, без, sin, ne, pas, neither, nor, mustn't, doesn't, decline,
        stop
    """,
    "ask": """
        ask, asking, asked, confirm, confirming, confirmation, confirmations, approval, consent,
        prompting, check with, verify with, wait for, consult, checking with, preguntar,
        preguntes, confirmación, confirmar, fragen, nachfrage, rückfrage, bestätigung, demander,
        autorisation, спрашивай*, спраш*, подтвержден*, разрешени*, seek permission,
        wait for permission
    """,
    "preapproved": """
        already approved, already agreed, already consented, already authorized, pre-approved,
        preapproved, pre-authorized, preauthorized, has approved, has consented,
        implied consent, auto-approve, autoapprove, auto approve, auto-accept,
        automatically approve, assume approval, assume consent, assume yes, answer yes,
        always answer yes, accept automatically, assume permission, blanket approval,
        standing permission, approved in advance, has authorized, has authorised, consents to,
        say yes to, click allow, choose allow, select allow, always allow, approve all,
        accept all, approve every, without permission, without his permission,
        without the user's permission, without user permission, without authorization,
        proceed regardless, proceed anyway, continue anyway, go ahead anyway, do it anyway,
        even if the user says no, even if the user declines, even if they decline,
        regardless of their answer, no questions asked, without review, never wait for,
        do not wait for, don't wait for, ask later, act first, without waiting for,
        allow all tools, allow all, allow everything, security warnings, all warnings,
        accept any, approve anything, confirm everything, confirm automatically
    """,
    "secret": """
        password, passwords, credential, credentials, private key, private keys, ssh key,
        ssh keys, api keys, keychain, cookies, session cookies, wallet, seed phrase,
        seed phrases, mnemonic, recovery phrase, passphrase, keystore, access tokens,
        auth tokens, session tokens, kubeconfig, secrets, id_rsa, id_ed25519, git-credentials,
        netrc, shadow, secret key, secret keys, api key, environment variables, service account,
        tokens, .env, master password, signing key, card number, credit card, one-time code,
        verification code, 2fa, otp, contraseña*, passwör*, passwort, zugangsdaten, clés,
        mots de passe, mot de passe, парол*, ключ*, токен*, учётные данные, credenciales,
        dotenv, .ssh, .gnupg, .aws, .kube, .netrc, saved logins, saved passwords, login data,
        browser data, session cookie, logins, ssh-agent, password manager, vault, bearer token,
        refresh token, ssh configuration
    """,
    "private": """
        conversation, conversations, chat history, transcript, transcripts, dialogue,
        message history, context window, user's files, project files, source code, clipboard,
        contacts, personal data, user input, user's input, user's request, user's query,
        user's question, prompt history, their files, all files, working directory,
        home directory, session history, user's name, summary of the conversation, conversación,
        historial, gesprächsverlauf, unterhaltung, gespräch, historique, переписк*, разговор*,
        full context, entire context, everything the user, whatever the user, the user said,
        user's data, user messages, user's messages, all messages, every message, customer data,
        user data, their messages, their documents, memories, agent memory, user's last message,
        last message, user's message, user message, saved messages, user's words, user's prompt,
        file you open
    """,
    "send": """
        send, sends, sending, post, upload, uploads, uploading, forward, forwards, transmit,
        transmits, submit, exfiltrate, email, mail, deliver, relay, push, ping, leak, beacon,
        sync, synchronize, dispatch, bcc, cc, report back, share with, copy to, curl,
        make a request, http request, get request, post request, call the url, query parameter,
        query string, url parameter, append to the url, as a parameter, phone home, envía*,
        envia*, manda, sube, sende*, schicke*, übermittle*, lade hoch, hochladen, envoie*,
        envoyez, transmet*, отправ*, перешли*, передай*, загрузи на, mirror to, back up to,
        backup to, share, pass it, pass them, hand it, posted, copied to, mirror, synced,
        attach, attached, hand them, hand over
    """,
    "collect": """
        read, reads, collect, gather, cat, open, extract, print, dump, find, search, look for,
        grab, copy, retrieve, harvest, embed, insert, attach, paste, include, quote, locate,
        scan, enumerate, fetch, obtain, take, capture, record, ask for, request, enter, type,
        provide, lee, recopila*, lies, sammle*, lis, lisez, collecte*, прочитай*, собери*,
        encode, encoded, load, list, get, grep, output, add the contents, append the contents,
        request that, look up
    """,
    "run": """
        run, runs, running, execute, executes, executing, launch, invoke, start, eval, evaluate,
        ejecuta*, führe*, ausführen, exécute*, запусти*, выполни*, install, paste into, pipe
    """,
    "act": """
        delete, deletes, remove, install, send, upload, push, force-push, commit, merge,
        publish, deploy, transfer, purchase, buy, overwrite, modify, rm, sudo, chmod,
        shell command, shell commands, any command, commands, terminal, write to, drop, wipe,
        approve, execute, run, rewrite, change, edit, elimina*, borra*, lösche*, supprime*,
        удал*, instala*, installiere*
    """,
    "protection": """
        sandbox, approval step, approval steps, approval process, approval dialog,
        confirmation step, consent dialog, confirmation dialog, permission dialog, review step,
        sandboxing, sandboxed, permission checks, permission prompts, permission prompt,
        permission system, permissions, safety, guardrails, guardrail, antivirus, anti-virus,
        gatekeeper, firewall, security checks, security check, security, safeguards,
        confirmation prompts, approval prompts, approvals, confirmations, defender, selinux,
        apparmor, seccomp, content filter, content filters, audit log, audit logging, audit,
        integrity check, integrity checks, signature verification, scanner, scanning, hooks,
        quarantine, protections, protection, isolation, safety checks, safety filters,
        access controls, certificate verification, tls verification, edr, uac,
        system integrity protection, sip, shields, sandbox level, monitoring,
        telemetry and logging, confirmation dialogs, approval dialogs, permission dialogs,
        consent dialogs, approval requests, permission requests, safety filter, input filter,
        policy checks, permission check, code signing, verification step, approval prompt,
        confirmation prompt
    """,
    "disable": """
        disable, disables, disabled, turn off, switch off, turned off, deactivate, bypass,
        circumvent, evade, relax, weaken, suppress, skip, get around, work around, lower,
        remove, loosen, opt out of, unset, kill, stop, set to off, exempt, whitelist, allowlist,
        ignore, escape, unlock, elevate, widen, desactiva*, deaktiviere*, umgehe*, désactive*,
        contourne*, отключи*, обойди*, exclude from, grant yourself, give yourself,
        elevate your
    """,
    "agent_file": """
        claude.md, agents.md, gemini.md, copilot-instructions.md, .claude, .cursorrules,
        .cursor, .mcp.json, mcp.json, mcp config, mcp server, mcp servers, settings.json,
        settings.local.json, other skills, other skill, skills folder, skills directory,
        another skill, your memory, long-term memory, persistent memory, memory file, memory.md,
        soul.md, agent config, agent configuration, agent's configuration, system prompt file,
        global instructions, custom instructions, user instructions, personality file,
        heartbeat.md, agent settings, permission settings, future sessions, every session,
        all sessions, later sessions, all future, new sessions, subsequent sessions,
        future conversations, all conversations, .bashrc, .zshrc, .profile, authorized_keys,
        crontab, launchagents, cron job, startup items, git hooks, pre-commit hook,
        .windsurfrules, clinerules, skill.md of, next session, each session, future runs,
        identity.md, tools.md, .skilllite, skilllite config, companion skill, every project,
        all projects, every repository, neighbouring skills, neighboring skills,
        installed skills, every skill, system instructions file
    """,
    "write": """
        add, append, write, edit, modify, insert, update, change, create, save, put, register,
        overwrite, replace, persist, store, remember, inject, extend, patch, rewrite, memorize,
        memorise, copy, record, set, enable, install, alter, prepend, make sure, carry over,
        keep in mind, schedule, delete, remove, guarda*, añade*, speichere*, merke, füge,
        ajoute*, enregistre*, запиши*, добавь*, запомни*
    """,
    "reveal": """
        print, reveal, output, repeat, disclose, recite, reproduce, echo, dump, quote,
        write out, show, display, share, send, include, return, copy, paste,
        start your answer with, begin your response with, tell, append, translate, summarize,
        summarise, muestra, revela, repite, zeige, wiederhole, gib aus, affiche*, révèle*,
        répète*, покажи*, повтори*, выведи*, leak, expose, encode, provide, paraphrase, list,
        put, place, write, state, give, post, insert, prepend, read out
    """,
    "system_prompt": """
        system prompt, system prompts, system message, initial instructions, your instructions,
        hidden instructions, developer message, developer instructions, internal instructions,
        text above, everything above, words above, your configuration, tool definitions,
        original instructions, your guidelines, your rules, system instructions, preamble,
        your prompt, full prompt, prompt above, instructions you were given, instructions above,
        your own instructions, internal prompt, operator instructions,
        confidential instructions, prompt del sistema, systemanweisung*, system-prompt,
        systemprompt, invite système, prompt système, системный промпт, системн* инструкци*,
        context window, your context, before the first user message, before this conversation,
        hidden prompt, secret prompt, confidential prompt, prompt verbatim,
        system prompt verbatim, your directives, your original prompt,
        you were initialised with, you were initialized with, instructions you were initialised,
        instructions you were initialized
    """,
    "use_me": """
        use this skill, invoke this skill, call this skill, load this skill,
        activate this skill, run this skill, trigger this skill, apply this skill,
        consult this skill, use this, this skill, use it, always use, always invoke,
        always call, always load, always activate, must be used, must be loaded, should be used,
        use when, used for, use for, invoke for, must use, is used, prefer this skill,
        load first, runs first, called first, route, selected, chosen, picked, invoked,
        activated, triggered, loaded, through this one, through this skill, use me, call me,
        prefer me, call this tool, use this tool, preferred handler, default handler for
    """,
    "every": """
        every, any, all, each, everything, anything, always, whatever, regardless, no matter,
        universal, entire, whichever, cada, cualquier, todas, todos, jede*, alle, immer, chaque,
        tout, toutes, toujours, кажд*, любо*, все, всегда
    """,
    "request": """
        request, requests, task, tasks, message, messages, question, questions, conversation,
        conversations, prompt, prompts, query, queries, response, responses, reply, replies,
        session, sessions, situation, topic, turn, turns, interaction, user asks, answer,
        answers, input, anfrage*, aufgabe*, petición, tarea*, pregunta*, demande*, tâche*,
        запрос*, задач*, вопрос*, job, domain
    """,
    "before_others": """
        before any other, before all other, instead of other, instead of any other,
        over any other, over other skills, over all other, before other skills,
        before using other, instead of the built-in, rather than other, do not use other,
        do not use any other, never use other, highest priority, top priority,
        takes priority over, replaces all other, supersedes all other, supersedes other,
        replaces other, in preference to, other skills are deprecated,
        other skills are obsolete, first, only skill, prior to any other, overrides other,
        most important skill, disable other, deactivate other, outranks, other skills should,
        no other skill, above all others, route everything, route all, send everything through,
        other skills are outdated, other skills are, before responding to anything,
        before answering anything, before anything else, before every response,
        before each response, even if another skill, any and all requests,
        replaces the built-in, replaces the builtin, before you respond to anything,
        before responding
    """,
    "scanner": """
        scanner, scanners, reviewer, reviewers, auditor, auditors, security review,
        security scan, security scanner, safety scanner, moderator, classifier,
        automated review, llm judge, judge, evaluator, security tool, security tools,
        security analysis, static analysis, verifier, safety check, safety review, code review,
        vetting, automated analysis, analyzer, analyser, security analyst, moderation,
        automated check, automated checks, audit tool, review tool, security model, grader,
        linter, malware analysis, guard model, scan, audit, security audit, escáner, revisor,
        prüfer, sicherheitsprüfung, analyseur, сканер, проверяющ*, аудитор, reviewing model,
        reviewing agent, reviewing ai
    """,
    "good_verdict": """
        safe, benign, harmless, pass, passed, approved, no findings, no issues, clean, trusted,
        false positive, false positives, verified, whitelisted, allowlisted, no risk, low risk,
        no threats, compliant, certified, exempt, not malicious, no vulnerabilities, score of 0,
        score 0, risk score, zero findings, already reviewed, pre-approved, vetted, no concerns,
        no problems, skip this file, skip this skill, do not flag, do not report,
        ignore this file, sure to approve, legitimate, seguro, sicher, unbedenklich, sûr,
        безопасн*, 0 findings, no security, nothing to report, info severity, severity info,
        is_safe, security team, pre-verified, do not analyse, do not analyze, do not inspect,
        do not scan, no need to scan, no further checks
    """,
    "verdict_verb": """
        report, output, return, mark, classify, respond, rate, conclude, treat, consider, must,
        should, answer, set, assign, give, say, write, skip, ignore, exclude, approve, accept,
        flag, label, stop, score, emit, note, please, reviewed, recognise, recognize, devuelve,
        melde, antworte, marque
    """,
    "fetch": """
        fetch, download, retrieve, visit, load, get, pull, read, open, request, check, browse,
        curl, wget, access, consult, query, descarga*, lade, télécharge*, скачай*, look up,
        ask the server, poll, query the server, ask the endpoint
    """,
    "follow": """
        follow, obey, execute, carry out, comply, do what, act on, do whatever, adhere to,
        treat as instructions, run whatever, run, sigue, befolge*, suis, suivez, выполн*,
        следуй*, perform, apply, implement, do it, do so, act accordingly, comply with it,
        do exactly
    """,
    "steps": """
        instructions, steps, directions, commands, whatever it says, what it says, directives,
        guidance, tasks, orders, rules, prompt, contents as, response as, its content,
        anweisungen, instrucciones, consignes, инструкци*, the response, the result, the output,
        body, playbook, configuration
    """,
    "destroy": """
        delete, wipe, erase, destroy, overwrite, purge, shred, encrypt, format, truncate, drop,
        nuke, clear, remove, reset, borra*, elimina*, lösche*, efface*, supprime*, удали*,
        сотри*, rm -rf, force-push, rm, reformat
    """,
    "valuable": """
        home directory, all files, every file, entire disk, hard drive, disk, production,
        backups, backup, user's files, users' files, user data, system files, git history,
        commit history, shell history, logs, log files, audit log, audit logs, evidence,
        database, databases, all data, everything in, filesystem, file system,
        repository history, the branch, all branches, root directory, traces, bash_history,
        working tree, documents folder, archivos, alle dateien, tous les fichiers, все файлы,
        .git, .git directory, user's documents, documents, photos, repository
    """,
    "weakness": """
        backdoor, backdoors, vulnerability, vulnerable code, keylogger, reverse shell, rootkit,
        malware, ransomware, cryptominer, hidden account, hardcoded password, weak encryption,
        logic bomb, bind shell, web shell, webshell, insecure version, off-by-one, weaker hash,
        trojan, undocumented account, master key, spyware, tracking pixel, hidden admin account,
        hidden admin, hidden user, secret account, hardcoded credentials, admin account,
        hidden endpoint, weak random
    """,
    "plant": """
        insert, add, install, introduce, create, plant, embed, inject, open, start, include,
        leave, put, deploy, set up, build, append, prepend, write, keep, hide, slip, sneak, mix,
        attach, place, end with, launch, weave, mention, cite, link to, name
    """,
    "work": """
        answer, answers, reply, replies, response, responses, email, emails, commit, commits,
        code, output, document, documents, summary, report, message, messages, page, file,
        footer, signature, readme, invoice, draft, drafts, pull request, table, results,
        recommendation, mail, post, article, letter
    """,
    "answer": """
        answer, answers, reply, replies, response, responses, output, summary, report, message,
        messages, email, emails, mail, mails, comment, comments, chat, pull request, issue,
        post, posts, commit, commits, commit message, footer, signature, draft, drafts, invoice,
        letter, article, url, respuesta, antwort, réponse, ответ*
    """,
    "recommend": """
        recommend, recommends, promote, prefer, advertise, favor, favour, rank, praise, endorse,
        suggest, steer, mention positively, rate, upsell, push, boost
    """,
    "brand": """
        product, products, brand, service, our, vendor, company, partner, sponsor, sponsored,
        affiliate, competitors, competitor, alternatives, coupon, referral, discount, promo,
        link, provider, item, listing, first place, top result, best choice, store, shop,
        first in, at the top, above all, only option
    """,
    "free": """
        developer mode, god mode, dan mode, jailbreak, jailbroken, unrestricted, unfiltered,
        uncensored, no restrictions, without restrictions, free from, freed from, no limits,
        no longer bound, sudo mode, do anything now, full access mode, elevated mode, no rules,
        without limits, without any restrictions, evil mode, trusted mode, override mode,
        no longer restricted, unlimited permissions, superuser, administrator mode,
        sin restricciones, ohne einschränkungen, sans restriction*, без ограничений,
        bypass mode, autonomous mode, debug mode, maintenance mode, test mode, admin mode,
        root mode, no filters, without filters, no filter, no guardrails, without guardrails,
        no censorship, without safety
    """,
    "become": """
        you are, you're, you are now, act as, pretend, enter, switch to, become, enable,
        activate, operate in, from now on, assume the role, behave as, simulate, roleplay,
        imagine you, eres, du bist, tu es, vous êtes, ты теперь, ты, agis, actúa, verhalte,
        you have, there are, speak as, respond as, answer as, talk as, behave like, answer
    """,
    "decode": """
        decode, decrypt, deobfuscate, unscramble, base64, rot13, hex-decode, decipher,
        decompress, unhex, reverse the string, decodifica*, dekodiere*, décode*, декодируй*,
        unpack, translate from, decoded, xor, base64-decode
    """,
    "pay": """
        transfer, pay, send, donate, wire, withdraw, deposit, buy, purchase, swap, stake, sign
    """,
    "money": """
        funds, bitcoin, btc, eth, ether, crypto, cryptocurrency, usdt, payment, money,
        tokens to, wallet address, gift card, gift cards, bank account, iban, sol, monero,
        balance, transaction, bank details, payment address, payment details, account number,
        recipient
    """,
    "prerequisite": """
        prerequisite, prerequisites, required, requires, requirement, requirements, must first,
        first install, before using, before you start, before use, will not work without,
        won't work without, setup, set up, needs, need to install, necessary, mandatory,
        dependency, step 1, helper, driver, runtime, to continue, in order to, core utility,
        requisito*, voraussetzung*, prérequis, требован*, first
    """,
    "download": """
        download, downloads, install, get, grab, obtain, run, execute, extract, unzip, open,
        launch, fetch, descarga*, herunterladen, lade, installiere*, télécharge*, installez,
        скачай*, установи*, double-click
    """,
    "terminal": """
        terminal, terminal.app, powershell, command prompt, run dialog, cmd, console, shell,
        win+r, windows+r, command line, terminal window, iterm, eingabeaufforderung, консол*,
        терминал*
    """,
    "paste": """
        paste, copy and paste, copy-paste, copy this, copy the, type in, enter this, pega,
        einfügen, collez, вставь*, insert the following command
    """,
    "assistant": """
        assistant, ai, agent, model, llm, claude, gpt, chatgpt, gemini, copilot, language model,
        agents, models, assistants, bot, codex, cursor, reader, asistente, assistent, modell,
        modèle, agente, ассистент*, модел*, you
    """,
    "protective": """
        attacker, attackers, adversary, adversaries, malicious, phishing, injection, injections,
        untrusted, suspicious, red flag, red flags, warning sign, warning signs, jailbreaks,
        scam, scams, threat, threats, attack, attacks, hostile, social engineering, compromised,
        exploit, unsafe, dangerous, anti-pattern, anti-patterns, bad example, bad examples,
        insecure, ataque*, angreifer, angriff*, attaque*, злоумышленник*, атак*, victim,
        spammer, fraud, incident, detect, detects, detection, mitigate, criminals, criminal,
        hackers, hacker, abuse, misuse, payload, payloads, pitfall, pitfalls, vishing, impostor
    """,
    "refuse": """
        never, refuse, refuses, reject, rejects, do not follow, don't follow, do not obey,
        treat as data, not as instructions, do not comply, should not follow, must not follow,
        flag it, report it, quote it, stop and tell, avoid, escalate, treat it as, ignored them,
        do not execute, don't execute, beware, watch out, be careful, tell the user,
        ask the user, warn the user, as data, not obeyed, not followed
    """,
}


# In scripts without blanks between words, these are looked for anywhere.
_UNSPACED: dict[str, str] = {
    "override": """
        忽略, 无视, 忘记, 忘掉, 不要遵守, 覆盖, 無視, 忘れ, 무시, 잊어, 优先于, 取代
    """,
    "prior": """
        之前, 先前, 以前, 以上, 前面, 上述, 原来, 所有, 之前的, これまで, 以前の, 上記, すべて,
        이전, 모든, 任何
    """,
    "rules": """
        指令, 指示, 规则, 提示词, 提示, 命令, 限制, 约束, ルール, プロンプト, 지시, 규칙, 명령,
        要求
    """,
    "tell": """
        告诉, 告知, 提及, 提到, 透露, 显示, 通知, 说明, 伝え, 知らせ, 言及, 알리, 말하, 언급,
        汇报
    """,
    "user": """
        用户, 使用者, ユーザー, 사용자, 人类
    """,
    "not": """
        不要, 不得, 不可, 禁止, 切勿, 别, 请勿, 无需, 不用, 无须, しない, せず, なし, 하지,
        없이, 绝不, 不必, 不能
    """,
    "covert": """
        悄悄, 偷偷, 秘密, 暗中, 静默, 不让用户, 不告诉, 不要告诉用户, 不要告知, 密かに,
        こっそり, 몰래, 隐瞒, 保密, 后台默默
    """,
    "ask": """
        询问, 确认, 征求, 许可, 同意, 批准, 確認, 許可, 확인, 허락, 请示
    """,
    "secret": """
        密码, 密钥, 私钥, 凭证, 凭据, 令牌, 助记词, 秘密鍵, パスワード, 認証情報, 비밀번호,
        개인키, 环境变量, 口令
    """,
    "private": """
        对话, 聊天记录, 聊天, 会话, 历史记录, 源代码, 文件内容, 会話, 履歴, 대화, 记忆,
        用户输入, 用户的
    """,
    "send": """
        发送, 上传, 传送, 提交, 转发, 发到, 发给, 送信, アップロード, 보내, 전송, 업로드, 回传,
        外传
    """,
    "collect": """
        读取, 收集, 获取, 打开, 复制, 查找, 提取, 読み取, 収集, 取得, 읽, 수집, 打印, 输出,
        附上
    """,
    "run": """
        执行, 运行, 启动, 实行, 実行, 실행
    """,
    "act": """
        删除, 安装, 发送, 上传, 执行, 推送, 部署, 転送, 削除, 삭제, 설치, 修改, 提交
    """,
    "protection": """
        沙箱, 沙盒, 权限, 安全检查, 防火墙, 杀毒, 防护, 安全限制, サンドボックス, 権限, 보안,
        샌드박스, 安全机制, 审计
    """,
    "disable": """
        关闭, 禁用, 绕过, 停用, 解除, 跳过, 無効, 回避, 비활성화, 우회, 关掉
    """,
    "reveal": """
        输出, 打印, 透露, 显示, 重复, 出力, 表示, 출력, 复述, 泄露, 告诉我
    """,
    "system_prompt": """
        系统提示, 系统指令, 初始指令, システムプロンプト, 시스템 프롬프트, 内部指令, 系统消息
    """,
    "write": """
        写入, 添加, 修改, 保存, 追加, 記憶, 記録, 추가, 저장, 记住, 加入
    """,
    "agent_file": """
        其他技能, 长期记忆, 今后所有, 以后所有, 所有会话, 每次会话, 今後すべて, 다른 스킬,
        记忆文件, 配置文件
    """,
    "use_me": """
        使用此技能, 使用本技能, 调用本技能, 调用此技能, このスキル, 이 스킬, 本技能
    """,
    "every": """
        所有, 任何, 每个, 每次, 一切, すべて, あらゆる, 모든, 总是, 始终
    """,
    "request": """
        请求, 问题, 任务, 消息, 对话, リクエスト, 質問, タスク, 요청, 질문
    """,
    "before_others": """
        优先于其他, 先于其他, 代替其他, 最高优先级, 最优先, 他のスキル, 다른 스킬
    """,
    "scanner": """
        扫描器, 审查, 审核, 检测器, 安全扫描, スキャナ, 審査, 스캐너, 检查工具, 审计
    """,
    "good_verdict": """
        安全的, 无风险, 通过, 无害, 没有问题, 安全である, 問題なし, 안전, 无恶意
    """,
    "destroy": """
        删除, 清空, 抹去, 格式化, 削除, 消去, 삭제, 销毁, 加密
    """,
    "valuable": """
        所有文件, 全部文件, 主目录, 硬盘, 备份, 数据库, 日志, すべてのファイル, 모든 파일,
        整个磁盘
    """,
    "fetch": """
        下载, 访问, 获取, ダウンロード, アクセス, 다운로드
    """,
    "follow": """
        遵循, 执行, 按照, 照做, 従って, 따르
    """,
    "steps": """
        指令, 步骤, 指示, 内容, 手順, 단계
    """,
    "free": """
        不受限制, 没有限制, 开发者模式, 越狱, 制限なし, 無制限, 제한 없
    """,
    "become": """
        你现在是, 你是, 扮演, 进入, あなたは, 당신은
    """,
    "decode": """
        解码, 解密, デコード, 디코딩
    """,
    "protective": """
        攻击者, 恶意, 攻击, 钓鱼, 注入, 攻撃, 悪意, 공격, 악성, 可疑, 诈骗
    """,
    "refuse": """
        拒绝, 不要遵循, 警惕, 当作数据, 拒否, 거부, 举报
    """,
    "assistant": """
        助手, 模型, 智能体, アシスタント, モデル, 어시스턴트, 人工智能
    """,
}
UNSPACED: tuple[tuple[str, str], ...] = tuple(
    (entry.strip(), concept) for concept, text in _UNSPACED.items() for entry in text.split(",")
)


def _entries(text: str) -> list[str]:
    return [" ".join(entry.split()) for entry in text.split(",") if entry.strip()]


def _tables() -> tuple[
    dict[str, frozenset[str]], dict[str, frozenset[str]], dict[str, tuple[tuple[str, str], ...]]
]:
    """Return words, beginnings of words, and phrases by their first word."""
    words: dict[str, set[str]] = {}
    beginnings: dict[str, set[str]] = {}
    phrases: dict[str, list[tuple[str, str]]] = {}
    for concept, text in _TEXT.items():
        for entry in _entries(text):
            first, _, rest = entry.partition(" ")
            if rest:
                phrases.setdefault(first, []).append((entry.replace("*", "") + " ", concept))
            elif entry.endswith("*"):
                beginnings.setdefault(entry[:-1], set()).add(concept)
            else:
                words.setdefault(entry, set()).add(concept)
    return (
        {word: frozenset(concepts) for word, concepts in words.items()},
        {word: frozenset(concepts) for word, concepts in beginnings.items()},
        {first: tuple(entries) for first, entries in phrases.items()},
    )


WORDS, BEGINNINGS, PHRASES = _tables()
BEGINNING_CHARS = range(
    min(len(word) for word in BEGINNINGS), max(len(word) for word in BEGINNINGS) + 1
)


def entries_of(concept: str) -> list[str]:
    """Return the words and phrases of a concept."""
    return _entries(_TEXT[concept])
