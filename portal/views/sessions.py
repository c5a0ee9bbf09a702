"""Sign in, sign out, change the password."""

from django.contrib import messages
from django.contrib.auth import authenticate, password_validation, update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from portal import throttle
from portal.access import can, safe
from portal.actors import actor_of, origin_of
from portal.models import Account
from portal.operations import access, accounts

FIELDS = ("current", "new", "again")  # of the change of a password, as they stand on the page
LONGEST_NAME = 150  # as the account's column


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for name and password, and lead on to the page that was wanted."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    target = safe(request, wanted) or resolve_url("portal:home")
    if request.method != "POST":
        if request.user.is_authenticated:
            return redirect(target)
        return _sign_in_page(request, target)
    name, password = _name(request), request.POST.get("password", "")
    origin = origin_of(request)
    reason = ""
    if throttle.tries_many_names(origin):
        reason = "many_names"
    elif throttle.is_tried_by_many(request, name):
        reason = "many_addresses"
    if reason:
        access.note_refused_sign_in(name, origin=origin, reason=reason)
        return _sign_in_page(request, target, name, _wait(name, request))
    account = authenticate(request, username=name, password=password)
    if isinstance(account, Account):
        access.sign_in(request, account)
        response = redirect(target)
        throttle.remember(response, account.get_username())
        return response
    locked = throttle.is_locked(request)
    access.note_refused_sign_in(name, origin=origin, reason="locked" if locked else "credentials")
    error = _wait(name, request) if locked else _("The user name or the password is not right.")
    return _sign_in_page(request, target, name, error)


def _name(request: HttpRequest) -> str:
    """Return the user name that was typed; what no account can be called counts as no name."""
    name = request.POST.get("username", "").strip()
    return name if name.isprintable() and len(name) <= LONGEST_NAME else ""


def _wait(name: str, request: HttpRequest) -> str:
    minutes = throttle.minutes_to_wait(name, origin_of(request))
    return ngettext(
        "Too many attempts failed. Try again in %(minutes)d minute.",
        "Too many attempts failed. Try again in %(minutes)d minutes.",
        minutes,
    ) % {"minutes": minutes}


def _sign_in_page(
    request: HttpRequest, target: str, name: str = "", error: str = ""
) -> HttpResponse:
    context = {"next": target, "name": name, "error": error, "return_to": request.get_full_path()}
    status = 200 if not error else 422
    return render(request, "portal/sign_in.html", context, status=status)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session; somebody without one is simply led to the sign-in page."""
    if request.user.is_authenticated:
        access.sign_out(request)
        messages.success(request, _("You have signed out."))
    return redirect("portal:sign-in")


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@can()
@never_cache
def change_password(request: HttpRequest) -> HttpResponse:
    """Let accounts change their password; the generated first one must be changed."""
    account = request.user
    assert isinstance(account, Account)  # noqa: S101 — can() has checked it; mypy cannot see it
    errors: dict[str, str] = {}
    if request.method == "POST":
        errors = _change_password(request, account)
        if not errors:
            messages.success(request, _("The password was changed."))
            return redirect("portal:home")
    context = {
        "errors": errors,
        "first": next((name for name in FIELDS if name in errors), FIELDS[0]),
        "rules": password_validation.password_validators_help_texts(),
        "forced": account.must_change_password,
        "crumb": _("Change password"),
    }
    return render(request, "portal/password.html", context, status=422 if errors else 200)


def _change_password(request: HttpRequest, account: Account) -> dict[str, str]:
    """Change it, or return all that is wrong, by field."""
    current, new, again = (request.POST.get(name, "") for name in FIELDS)
    errors: dict[str, str] = {}
    if not account.check_password(current):
        errors["current"] = _("The current password is not right.")
    try:
        accounts.check_password(new, account)
        if new == current:
            errors["new"] = _("The new password is the same as the current one.")
    except accounts.WeakPassword as error:
        errors["new"] = str(error)
    if new != again:
        errors["again"] = _("The two passwords differ.")
    if not errors:
        changed = accounts.set_password(account.pk, new, actor=actor_of(request))
        update_session_auth_hash(request, changed)
    return errors
