# LemonLDAP::NG's portal under plackup, with its pictures and scripts. The configuration stands where
# LLNG_DEFAULTCONFFILE says.
use strict;
use warnings;
use Plack::Builder;
use Lemonldap::NG::Portal;

# Nothing here asks for a captcha; the portal loads the part that draws them all the same, with libraries for pictures.
BEGIN {
    package Lemonldap::NG::Portal::Captcha::None;
    use Mouse;
    extends 'Lemonldap::NG::Portal::Main::Plugin';
    sub init { return 1 }
    $INC{'Lemonldap/NG/Portal/Captcha/None.pm'} = __FILE__;
}

my $portal = Lemonldap::NG::Portal->run( {} );

builder {
    enable 'Plack::Middleware::Static',
      path => qr{^/static/},
      root => '/usr/share/lemonldap-ng/portal/htdocs';
    enable 'Plack::Middleware::Static', path => qr{^/javascript/}, root => '/usr/share';
    $portal;
};
