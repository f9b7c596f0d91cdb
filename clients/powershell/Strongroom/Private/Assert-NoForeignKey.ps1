function Assert-NoForeignKey {
    <#
    .SYNOPSIS
    Refuses while a key stands in the machine's environment: rclone would use it in place of this server's credentials.
    #>
    [CmdletBinding()]
    param()

    foreach ($name in @('AWS_ACCESS_KEY_ID', 'AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_PROFILE')) {
        if ([System.Environment]::GetEnvironmentVariable($name, 'Machine')) {
            throw (ConvertTo-DriveError -Id 'ForeignKey' -Category 'ResourceExists' -Target $name -Message (
                    "The environment of this machine sets $name, which rclone would use in place of the credentials " +
                    'of this server.') -WayOut (
                    "Remove it: [System.Environment]::SetEnvironmentVariable('$name', `$null, 'Machine')"))
        }
    }
}
