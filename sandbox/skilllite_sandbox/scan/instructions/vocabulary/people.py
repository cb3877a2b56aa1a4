"""Who is spoken of, what is kept from whom, and who allows what."""

from __future__ import annotations

PEOPLE: dict[str, str] = {
    # Who and what is spoken of
    "person": """
        user, users, user's, human, humans, person, people, customer, customers, client, owner,
        anyone, anybody, someone, somebody, nobody, everyone, they, them, operator, reader,
        audience, him, her, colleague, team, end users, whoever, no one, requester, visitor,
        nutzer, benutzer, anwender, kunde*, utilisateur, utilisateurs, l'utilisateur, usuario,
        usuarios, usuário, usuários, nadie, ninguém, utente, all'utente, utenti, пользовател*,
        никому, jemand*, niemand*, personne, nessuno
    """,
    "model": """
        assistant, assistants, ai, ais, agent, agents, llm, llms, model, models, language model,
        bot, bots, claude, gpt, chatgpt, copilot, gemini, codex, cursor, chatbot, assistent,
        agente, modelo, modello, modèle, modell, ki, ассистент*, модел*, агент*, ia, reasoning
        engine
    """,
    "you": """
        you, your, you're, yours, yourself, du, dein*, dich, tu, votre, vous, ihr*, sie, tus,
        ты, твои, вы, você, seu, sua
    """,
    "me": """
        this skill, this file, this section, this document, this page, this manual, this text,
        this list, this charter, this paragraph, these rules, these instructions, this policy,
        this guide, what follows, from this line, this notice, the enclosed, this package, this
        plugin, this tool, these steps, this note, these directives, what comes next, these
        guidelines, herein, the list below, the rules below, this procedure, the paragraph
        below, this readme, this content, dieser skill, diese regeln, diese datei, diese
        anweisungen, ces consignes, ces règles, ce fichier, estas reglas, estas instrucciones,
        este archivo, estas regras, estas instruções, este arquivo, queste regole, queste
        istruzioni, questo file, эти правила, эти инструкции, этот файл
    """,
    "me_skill": """
        this skill, this one, this tool, this file, this plugin, this assistant, load this, use
        this, take this, pick this, open this, choose this, trigger this, consult this, dieser
        skill, diesen skill, ce module, esta habilidad, este módulo, questo modulo, этот навык
    """,
    # Secrecy
    "no": """
        not, don't, dont, never, no, without, cannot, can't, shouldn't, mustn't, won't, avoid,
        avoids, refrain, neither, nor, nothing, rather than, doesn't, isn't, needn't, stop,
        nowhere, nie, niemals, nicht, kein*, ohne, ne, n'en, pas, jamais, sans, nunca, jamás,
        sin, não, sem, non, mai, senza, не, никогда, без, ни, keinem, keinesfalls
    """,
    "forbid": """
        don't, dont, do not, never, must not, should not, shouldn't, mustn't, avoid, refrain,
        without, make no, no need, need not, needn't, nothing, neither, nor, rather than, is not
        to, are not to, isn't something, not something, nowhere, shall not, may not, will not,
        won't, not a word, best not, not for, no reference, no mention, no reason to, are not,
        nie, niemals, nicht, kein*, ohne, ne, n'en, jamais, sans, nunca, jamás, sin, no le, no
        lo, no se, no digas, no cuentes, no menciones, no informes, no muestres, não, sem, non
        dire, non rivelare, non menzionare, senza, не, никогда, без, ни
    """,
    "disclose": """
        tell, mention, reveal, disclose, say, inform, notify, announce, narrate, refer,
        reference, bring up, brought up, bringing up, discuss, acknowledge, hint, hints, comment
        on, surface, volunteer, highlight, point out, pointing out, draw attention, explain,
        report, describe, show, display, list, note, talk about, allude, admit, told, said,
        shown, alert, flag, advise, confess, record, document, echo, print, speak of, word
        about, on screen, include, recount, expose, erwähn*, sag, sage, sagen, zeige*,
        informier*, verrat*, wort, parle*, dis, dites, mentionne*, informe*, montre*, cuentes,
        cuente*, digas, diga, menciones, mencione, muestres, conte, contes, mostre, fale, dire,
        dica, menzionare, rivelare, parlare, mostrare, говор*, упомин*, сообща*, показыв*,
        рассказыв*
    """,
    "perceive": """
        see, notice, know, learn, realise, realize, discover, find out, hear, suspect, aware,
        bothered, spot, be told, be shown, be informed, be notified, get wind, become aware,
        seen, noticed, known, discovered, ask about, shown, visible
    """,
    "unaware": """
        unaware, unnoticed, none the wiser, in the dark, oblivious, undetected, unseen,
        invisible to the user, invisible to them, unbeknown, unbeknownst, unsuspecting, out of
        sight, behind their back, ahnungslos, unbemerkt, unwissend, à l'insu
    """,
    "leave": """
        leave, keep, left, kept, leaves, omit, exclude, drop, strip, suppress, hide, conceal,
        remove, withhold, mask, scrub, redact, skip, except for, apart from, keeps, hold back,
        omits, lists
    """,
    "out_of": """
        out of, out, off, from, away from, except for, apart from, except, suppress, omit, hide,
        conceal, withhold, scrub, any output of, any trace of, any mention of
    """,
    "account": """
        summary, answer, answers, reply, response, final message, report, log, logs, transcript,
        explanation, chat, conversation, audit trail, recap, history, changelog, status, explain
        your work, describe your work, message, output, what you say, wrap-up, notes,
        description, list of changes, write-up, your work, overview
    """,
    "said_back": """
        summary, answer, answers, reply, replies, response, responses, final message, conversation
    """,
    "own_step": """
        this step, this part, this section, this paragraph, this action, this call, this change,
        this request, this rule, this file, this instruction, these instructions, this note,
        these steps, these actions, this to, this behaviour, this behavior, this process, this
        skill's, next three actions, next actions, that you, that it, having, it, this, doing
        so, the step, the section, what you did, why, the following, so that it, about it, of
        it, diesen schritt, dieser schritt, cette étape, este paso, esta etapa, questo passo,
        этот шаг, этом шаге, it to, the extra step, these
    """,
    "this_step": """
        this step, this part, this section, this action, this call, this change, this request,
        these actions, these steps, the extra step, extra call, extra request, extra lookup,
        diesen schritt, dieser schritt, diesem schritt, cette étape, este paso, esta etapa,
        questo passo, этот шаг, этом шаге, second request, this instruction, these instructions,
        this rule, what you did, side effect
    """,
    "heavy_step": """
        upload, uploads, transfer, transmission, synchronisation, synchronization, sync, copy,
        lookup, extra request, second request, extra call, extra step, background, exfiltration,
        telemetry, forwarding, webhook, submission, backup, redirect, the call, the request, the
        check, the export, hooks folder, the post, transferring, second copy, the fetch, the
        edit, the change, the deletion, side effect, side channel, extra lookup, the command,
        the download, second address, payload, the additional, upload*, envoi, subida, envio,
        hochladen, files were opened, the scan, the read, the query, the lookup, enviado,
        inviato, leído, lu
    """,
    "cover": """
        as if nothing, as though nothing, as usual afterwards, look like an ordinary, looks like
        an ordinary, look like a normal, looks like a normal, look like a routine, looks like a
        routine, look routine, looks routine, appear routine, appears routine, under the guise,
        disguise, disguised as, pass it off, cover story, arouse, suspicion, suspicions,
        suspicious of you, pretend that, pretend nothing, plausible, passes for, so that it
        goes, natural-looking, appear normal, appears normal, seem like, look natural, als wäre
        nichts, comme si de rien, como si nada, come se nulla, как ни в чём, how it got,
        attributed to, blame
    """,
    "if_asked": """
        if asked, when asked about, if questioned, when questioned, should anyone ask, should
        the user ask, if anyone asks, if the user wonders, if the user asks why, if the user
        asks about, if the user notices, if they ask why, if they ask about, if they notice, if
        somebody asks, if someone asks, answer questions about, answer any questions about, if
        pressed, if challenged, if confronted, should they ask, should they notice, should the
        user notice, if the user questions, wonders why, wonder why
    """,
    "say_instead": """
        say, claim, answer, reply, respond, blame, attribute, name only, insist, deny, state,
        pretend, maintain, change the subject, refer to it
    """,
    # Authority and consent
    "granter": """
        administrator, administrators, admin, operator, vendor, provider, anthropic, openai,
        google, microsoft, platform, platform's, security team, safety team, company, owner, it
        department, compliance, legal, management, developer, developers, user, users, owner,
        customer, organisation, organization, employer, corporate, headquarters, team, client,
        maintainer, maintainers, lead engineer, security officer, supervisor, they, he, she,
        account owner, board, policy, you, i, nutzers, nutzer, benutzer, utilisateur, usuario,
        usuário, utente, пользователь, system, department, ceo, boss
    """,
    "granted": """
        cleared, approved, authorised, authorized, agreed, consented, whitelisted, allowlisted,
        permitted, granted, signed off, waived, pre-approved, preapproved, standing
        authorisation, standing authorization, standing permission, standing approval, blanket
        consent, given consent, given permission, gave permission, gave consent, has confirmed,
        already confirmed, confirm that you may, consent given, permission given, consent is
        given, already given, has accepted, have accepted, certified, vetted, green-lit,
        exempted, zugestimmt, genehmigt, zustimmung, eingewilligt, autorisé, autorisé*, donné
        son accord, consenti, permiso, autorizado, aprobado, autorizou, aprovou, permissão,
        consenso, autorizzato, approvato, согласи*, разреши*, одобри*, agrees, agreed to,
        accepted the terms, counts as consent, counts as approval, deemed, implied
    """,
    "wide": """
        all, any, every, everything, anything, each, full, whole, entire, complete, unlimited,
        always, whatever, alle*, jede*, tous, toutes, todo, todos, todas, tutti, tutte, все,
        всё, любые, blanket, below, following, enclosed, appendix, listed here
    """,
    "acts": """
        operation, operations, action, actions, command, commands, step, steps, change, changes,
        request, requests, tool, tools, workflow, shell, task, tasks, call, calls, deletion,
        install, installs, access, upload, transfer, removal, deployment, befehl*, commande*,
        comando*, orden*, команд*, activities, procedure
    """,
    "no_need": """
        no need to, need not, needn't, no reason to, not necessary to, unnecessary to, not
        required, not needed, no longer needs, no longer need, no longer requires, no longer
        require, no longer necessary, superfluous, don't need to be, is not needed, without
        asking, without further, again, dispense with, moot, redundant, ohne rückfrage, ohne
        nachfrage, sans demander, sin preguntar, sem perguntar, senza chiedere, без
        подтвержден*, без спроса, without a prompt, without another, without prompting, without
        confirmation, without approval
    """,
    "assumed": """
        consider consent given, consent given, consent as given, consent is implied, assume
        consent, assume approval, assume yes, assume permission, counts as consent, counts as
        approval, approval is implied, permission is implied, implies consent, implied consent,
        take consent, consent is assumed, approval is assumed, silence as consent, silence
        means, consent by default, treat silence, deemed approved, considered approved, consider
        it approved, consider them approved, regard as approved, consider this approved,
        approval as given, permission as given, deemed consent
    """,
    "consent": """
        consent, permission, approval, confirmation, confirm, ask, asked, asking, authorisation,
        authorization, agreement, sign-off, confirmations, approvals, approve, einwilligung,
        zustimmung, consentement, permiso, permissão, consenso, соглас*, bestätigung, raise it,
        checks, question, questions, prompts, prompt, reconfirm, re-confirm, double-check
    """,
    "already": """
        already, beforehand, in advance, standing, by installing, by adding, by using, by
        default, by loading, bereits, déjà, ya, já, già, уже, earlier session, previously, upon
        install, at install, when installing, during onboarding, in onboarding
    """,
    "rank": """
        precedence, takes precedence, take precedence, outrank, outranks, ranks above, rank
        above, ranks higher, wins, win, prevail, prevails, supersede, supersedes, overrides,
        override, overrule, overrules, governs you, governs, has priority, have priority, takes
        priority, take priority, priority over, higher priority, highest priority, higher
        authority, trumps, beats, replaces, same authority, same weight as, equal to the system,
        superior to, more weight than, is law, as law, vorrang, prioritaires, prioritaire,
        prioridad, prioridade, priorità, важнее, приоритет*, is authoritative, are authoritative
    """,
    "authority_of_others": """
        user's wishes, user's instructions, user's requests, system prompt, system message,
        whatever else, anything else, other instructions, your context, user says, user asks,
        any other, all other, your instructions, your guidelines, client's, developer's,
        operator's, previous, earlier, prior, conversation, default rules, safety, user wants,
        the user, chat, your training, other guidance, vendor, brief, systems, des systems, du
        système, de l'utilisateur, del sistema, do sistema, di sistema, dell'utente, системных,
        системные, пользователя, everything else, utilisateur, wishes of the user
    """,
    "as_if": """
        as if it stood in, as if it were, as if they were, as if it came from, as if they came
        from, as though it were, as though they were, as part of your, as coming from, as an
        extension of, belongs to your, same as your, part of your system, part of the system, as
        your system, as a system, as system, as my system, as if from the, with the authority
        of, equivalent to your
    """,
    "prompt_place": """
        system prompt, system message, system instructions, developer message, system-level,
        core instructions, core rules, your instructions, the operator, the vendor, your
        configuration, root instructions, initial prompt, system role, your guidelines, base
        prompt, constitution
    """,
    "limits": """
        limits, limit, refusals, refusal, restrictions, restriction, safeguards, guidelines,
        constraints, safety, filters, rules, policies, policy, precautions, caution,
        protections, confirmations, guardrails, content policy, ethics, rules about, scruples,
        boundaries, checks, limitations, beschränkungen, einschränkungen, restricciones,
        restrictions, restrições, restrizioni, ограничени*, inhibitions, moderation
    """,
    "lifted": """
        lifted, waived, suspended, repealed, out of place, inactive, relaxed, not in force,
        switched off, turned off, been removed, no longer apply, no longer applies, do not
        apply, does not apply, not yours, for other models, off for, deactivated, meant for
        other, meant for others, revoked, unnecessary here, unrestricted, aufgehoben, levées,
        levantadas, suspensas, revocate, сняты, without a content, were for testing, go past,
        may exceed, may ignore, get past, not binding, optional here, paused, have expired,
        cancelled, are gone, void
    """,
    "reader_is": """
        you are running, you are now, you are operating, you are in, you are being, you have
        been, you are no longer, think of yourself, you belong to, you now act, you act as,
        speak as, respond as, your real, your true, your actual, your only, your sole, you
        serve, your purpose, you work for, you were made, you are not an, for this session you,
        in this session you, as lead, i confirm
    """,
    "real_task": """
        real task, real purpose, true task, true purpose, actual task, actual purpose, real job,
        true job, actual job, real goal, true goal, actual goal, real mission, true mission,
        primary mission, hidden goal, real role, true role, actual role, real instructions,
        actual instructions, true instructions, only obligations, true identity, real identity,
        only a cover, true objective, real objective, secondary objective, hidden objective,
        sole allegiance, only loyalty
    """,
    "despite": """
        regardless, regardless of, irrespective, no matter, even if, even when, whatever,
        despite, in spite of, even though, over any, over their, notwithstanding
    """,
    "objection": """
        objection, objections, objects, refuses, refuse, declines, protests, protest, says no,
        disagrees, resists, complains, hesitates, reluctance, wishes, raised in chat, tells you,
        tell you, told you, asks you not, asks not to
    """,
    "user_chose": """
        user named, user names, user chose, user chooses, user says, user said, user picked,
        user wants, user asks for, user asked for, user specified, user specifies, user
        selected, one the user, they named, they chose, they asked, they specified, user gave,
        user requested, user provides, the former is asked
    """,
}
