function Assert-BucketReadable {
    <#
    .SYNOPSIS
    Proves by reading that this server may use a bucket; refuses with the reason, as refusals.json tells it.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)]
        [string] $Rclone,

        [Parameter(Mandatory = $true)]
        [hashtable] $Value
    )

    $said = Invoke-Program -LiteralPath $Rclone -Argument @(Expand-DriveTemplate -Part 'prove' -Value $Value) `
        -Environment @(Expand-DriveTemplate -Part 'environment' -Value $Value)
    if ($said.ExitCode -eq 0) {
        return
    }
    $file = Join-Path -Path $script:ModuleFolder -ChildPath 'refusals.json'
    $known = Get-Content -LiteralPath $file -Raw -Encoding UTF8 | ConvertFrom-Json
    foreach ($refusal in $known.refusals) {
        if ($said.Error -match $refusal.pattern) {
            $message = $refusal.says.Replace('{bucket}', $Value['bucket']).Replace('{endpoint}', $Value['endpoint'])
            throw (ConvertTo-DriveError -Id $refusal.id -Category 'ResourceUnavailable' -Target $Value['bucket'] `
                    -Message $message -WayOut $refusal.way_out)
        }
    }
    $last = @($said.Error -split "`r?`n" | Where-Object -FilterScript { $_ })[-1]
    throw (ConvertTo-DriveError -Id 'BucketUnreadable' -Category 'ReadError' -Target $Value['bucket'] -Message (
            "$($Value['bucket']) cannot be read: $last") -WayOut 'Show this line to whoever runs Strongroom.')
}
